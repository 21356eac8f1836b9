/** What onboarding knows of a platform: how the SDK is installed, how it is started, how it is tried. */
export interface Platform {
  id: string;
  name: string;
  install: string;
  setup: (dsn: string) => string;
  /** Where the code belongs. */
  where: string;
}

const python = (integration: string) => (dsn: string) =>
  `import sentry_sdk${integration}

sentry_sdk.init(
    dsn="${dsn}",
)
`;
const js = (name: string) => (dsn: string) =>
  `import * as Sentry from "${name}";

Sentry.init({
  dsn: "${dsn}",
});

Sentry.captureException(new Error("The first error"));
`;

/** The parts of a DSN: `https://key@host/path/project`. */
export function dsnParts(dsn: string): { origin: string; key: string; project: string } {
  try {
    const url = new URL(dsn);
    const path = url.pathname.split('/').filter(Boolean);
    const project = path.pop() ?? '';
    return {
      origin: `${url.protocol}//${url.host}${path.length > 0 ? `/${path.join('/')}` : ''}`,
      key: url.username,
      project,
    };
  } catch {
    return { origin: '', key: '', project: '' };
  }
}

export function curlCommand(dsn: string): string {
  const { origin, key, project } = dsnParts(dsn);
  return `curl '${origin}/api/${project}/store/?sentry_version=7&sentry_key=${key}' \\
  -H 'Content-Type: application/json' \\
  -d '{"message": "The first event", "level": "error", "platform": "other"}'`;
}

export const PLATFORMS: Platform[] = [
  {
    id: 'python',
    name: 'Python',
    install: 'pip install sentry-sdk',
    where: 'At the start of the program',
    setup: (dsn) => `${python('')(dsn)}\n1 / 0\n`,
  },
  {
    id: 'python-django',
    name: 'Django',
    install: 'pip install sentry-sdk',
    where: 'In settings.py',
    setup: (dsn) =>
      `${python('')(dsn)}\n# In urls.py, a route that fails:\n# path("fail/", lambda request: 1 / 0)\n`,
  },
  {
    id: 'python-flask',
    name: 'Flask',
    install: 'pip install "sentry-sdk[flask]"',
    where: 'Before Flask(__name__)',
    setup: (dsn) =>
      `${python('\nfrom flask import Flask')(dsn)}\napp = Flask(__name__)\n\n@app.route("/fail")\ndef fail():\n    return 1 / 0\n`,
  },
  {
    id: 'javascript',
    name: 'Browser',
    install: 'npm install @sentry/browser',
    where: 'First in the entry file',
    setup: js('@sentry/browser'),
  },
  {
    id: 'javascript-react',
    name: 'React',
    install: 'npm install @sentry/react',
    where: 'Before createRoot',
    setup: js('@sentry/react'),
  },
  {
    id: 'node',
    name: 'Node.js',
    install: 'npm install @sentry/node',
    where: 'In instrument.mjs, run with node --import ./instrument.mjs',
    setup: js('@sentry/node'),
  },
  {
    id: 'node-express',
    name: 'Express',
    install: 'npm install @sentry/node',
    where: 'In instrument.mjs; the last lines after all routes',
    setup: (dsn) =>
      `${js('@sentry/node')(dsn)}\n// After all routes of the app:\n// Sentry.setupExpressErrorHandler(app);\n`,
  },
  {
    id: 'rust',
    name: 'Rust',
    install: 'cargo add sentry',
    where: 'First in main, kept until it ends',
    setup: (dsn) =>
      `fn main() {\n    let _guard = sentry::init("${dsn}");\n    panic!("The first error");\n}\n`,
  },
  {
    id: 'go',
    name: 'Go',
    install: 'go get github.com/getsentry/sentry-go',
    where: 'First in main',
    setup: (dsn) =>
      `err := sentry.Init(sentry.ClientOptions{\n\tDsn: "${dsn}",\n})\nif err != nil {\n\tlog.Fatal(err)\n}\ndefer sentry.Flush(2 * time.Second)\n\nsentry.CaptureMessage("The first event")\n`,
  },
  {
    id: 'java',
    name: 'Java',
    install: 'implementation("io.sentry:sentry:<version>")  // build.gradle.kts',
    where: 'First in main',
    setup: (dsn) =>
      `Sentry.init(options -> {\n  options.setDsn("${dsn}");\n});\n\nSentry.captureException(new RuntimeException("The first error"));\n`,
  },
  {
    id: 'php',
    name: 'PHP',
    install: 'composer require sentry/sentry',
    where: 'At the start of the program',
    setup: (dsn) =>
      `\\Sentry\\init([\n    'dsn' => '${dsn}',\n]);\n\n\\Sentry\\captureMessage('The first event');\n`,
  },
  {
    id: 'ruby',
    name: 'Ruby',
    install: 'bundle add sentry-ruby',
    where: 'At the start of the program',
    setup: (dsn) =>
      `require "sentry-ruby"\n\nSentry.init do |config|\n  config.dsn = "${dsn}"\nend\n\nSentry.capture_message("The first event")\n`,
  },
  {
    id: 'dotnet',
    name: '.NET',
    install: 'dotnet add package Sentry',
    where: 'First in Program.cs',
    setup: (dsn) =>
      `using var sentry = SentrySdk.Init(options =>\n{\n    options.Dsn = "${dsn}";\n});\n\nSentrySdk.CaptureMessage("The first event");\n`,
  },
  {
    id: 'android',
    name: 'Android',
    install: 'implementation("io.sentry:sentry-android:<version>")  // build.gradle.kts',
    where: 'In AndroidManifest.xml, inside <application>',
    setup: (dsn) => `<meta-data\n    android:name="io.sentry.dsn"\n    android:value="${dsn}" />\n`,
  },
  {
    id: 'apple',
    name: 'Apple',
    install: 'https://github.com/getsentry/sentry-cocoa  // Swift package',
    where: 'When the app starts',
    setup: (dsn) =>
      `import Sentry\n\nSentrySDK.start { options in\n    options.dsn = "${dsn}"\n}\n\nSentrySDK.capture(message: "The first event")\n`,
  },
  {
    id: 'flutter',
    name: 'Flutter',
    install: 'flutter pub add sentry_flutter',
    where: 'In main.dart',
    setup: (dsn) =>
      `Future<void> main() async {\n  await SentryFlutter.init(\n    (options) => options.dsn = '${dsn}',\n    appRunner: () => runApp(const MyApp()),\n  );\n}\n`,
  },
  {
    id: 'react-native',
    name: 'React Native',
    install: 'npm install @sentry/react-native',
    where: 'First in App.tsx',
    setup: js('@sentry/react-native'),
  },
  { id: 'other', name: 'curl', install: '', where: 'In a shell', setup: curlCommand },
];

/** The entry of a platform; a more special name falls back to its language. */
export function platformOf(id: string | null | undefined): Platform {
  const exact = PLATFORMS.find((one) => one.id === id);
  return exact ?? PLATFORMS.find((one) => one.id === id?.split('-')[0]) ?? PLATFORMS[PLATFORMS.length - 1];
}
