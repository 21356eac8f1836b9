// The browser SDK in a page: every scenario once, then the page says that it is done.
import * as Sentry from "@sentry/browser";

Sentry.init({
  dsn: window.DSN,
  release: "shop@1.2.3",
  dist: "7",
  environment: "test",
  sendDefaultPii: true,
  attachStacktrace: true,
});

// A browser may send on a connection that is being closed at its other end; the SDK drops what it could not send.
let lost = 0;
Sentry.getClient().on("afterSendEvent", (_, answer) => {
  if (answer?.statusCode !== 200) lost += 1;
});

async function scenario(name, act) {
  for (let tries = 0; tries < 3; tries++) {
    lost = 0;
    Sentry.getIsolationScope().clearBreadcrumbs().setTag("scenario", name);
    await Sentry.withScope(act);
    if (!(await Sentry.flush(10000))) {
      throw new Error(`${name}: not everything was sent in time`);
    }
    if (lost === 0) return;
  }
  throw new Error(`${name}: it was lost three times`);
}

/** Waits until the next event has left; nothing else says when the SDK has seen an uncaught error. */
function sent() {
  return new Promise((done) => {
    const stop = Sentry.getClient().on("afterSendEvent", () => {
      stop();
      done();
    });
  });
}

function pay(order) {
  return order.lines.length;
}

function chain() {
  try {
    try {
      JSON.parse("{");
    } catch (error) {
      throw new RangeError("no price", { cause: error });
    }
  } catch (error) {
    throw new Error("no offer", { cause: error });
  }
}

async function main() {
  await scenario("handled", () => {
    try {
      pay({ total: 12 });
    } catch (error) {
      Sentry.captureException(error);
    }
  });

  await scenario("chained", () => {
    try {
      chain();
    } catch (error) {
      Sentry.captureException(error);
    }
  });

  await scenario("grouped", () => {
    Sentry.captureException(new AggregateError([new TypeError("a"), new AggregateError([new Error("b")], "in")], "both"));
  });

  await scenario("message", () => {
    Sentry.captureMessage(Sentry.logger.fmt`order ${"A-7"} is late by ${3} days`, "log");
  });

  await scenario("context", (scope) => {
    scope.setUser({ id: "7", email: "ann@example.com", username: "ann", plan: "gold" });
    scope.setTag("flavour", "plum");
    scope.setTag("paid", false);
    scope.setContext("order", { total: 12, lines: ["A", { n: 1.5 }], paid: null });
    scope.setExtra("cart", [1, "two", null, { three: 3 }]);
    scope.setExtra("note", "the password is sesame");
    scope.setFingerprint(["{{ default }}", "plums", "3"]);
    Sentry.captureMessage("context", "warning");
  });

  await scenario("breadcrumbs", async () => {
    Sentry.addBreadcrumb({ category: "cart", message: "added a book", level: "info", data: { price: 3 } });
    Sentry.addBreadcrumb({ category: "cart", message: "added a pen", level: "debug" });
    document.querySelector("#buy").click();
    console.warn("the till is slow", 3);
    await fetch("/missing?card=1");
    history.pushState({}, "", "/shop/till?size=3#pay");
    Sentry.captureMessage("with crumbs");
  });

  await scenario("attachment", (scope) => {
    scope.addAttachment({ filename: "notes.txt", data: "remember\n" });
    scope.addAttachment({
      filename: "blob.bin",
      data: Uint8Array.from({ length: 50000 }, (_, i) => i % 251),
      contentType: "image/png",
    });
    Sentry.captureMessage("with files \ud83c\udf51 and half of one: \ud83c");
  });

  await scenario("request", () => {
    Sentry.captureException(new Error("sold out"));
  });

  await scenario("unhandled", async () => {
    const left = sent();
    const script = document.createElement("script");
    script.textContent = 'function open() { throw new Error("nobody catches this"); }\nopen();';
    document.body.append(script);
    await left;
  });

  await scenario("timer", async () => {
    const left = sent();
    setTimeout(() => {
      throw new Error("too late");
    });
    await left;
  });

  await scenario("promise", async () => {
    const left = sent();
    Promise.reject(new Error("nobody waits for this"));
    await left;
  });
}

main().then(
  () => fetch("/done"),
  (error) => fetch(`/done?${encodeURIComponent(error.stack)}`),
);
