// The Node SDK in an Express application: every scenario once, the uncaught exception last.
"use strict";

const Sentry = require("@sentry/node");

Sentry.init({
  dsn: process.argv[2],
  release: "shop@1.2.3",
  dist: "7",
  environment: "test",
  includeLocalVariables: true,
  attachStacktrace: true,
  sendDefaultPii: true,
});

// The SDK wants to be first.
const express = require("express");

async function scenario(name, act) {
  await Sentry.withIsolationScope(async (scope) => {
    scope.setTag("scenario", name);
    await act(scope);
  });
}

function pay(order) {
  // The SDK sends this; the server must not keep it.
  const password = "hunter2";
  const lines = order.lines.length;
  return lines.toFixed(password.length);
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

// The SDK reads variables through a debugger, which takes a while to attach.
async function untilVariablesAreRead() {
  for (const end = Date.now() + 20000; Date.now() < end; ) {
    try {
      pay({});
    } catch (error) {
      if (error.__SENTRY_ERROR_LOCAL_VARIABLES__) return;
    }
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error("the SDK's debugger did not attach");
}

async function main() {
  await untilVariablesAreRead();

  await scenario("handled", async () => {
    try {
      pay({ total: 12 });
    } catch (error) {
      Sentry.captureException(error);
    }
  });

  await scenario("locals", async () => {
    try {
      pay({ total: 12, lines: [] });
      pay({ total: 12, items: [1, { two: null }] });
    } catch (error) {
      Sentry.captureException(error);
    }
  });

  await scenario("chained", async () => {
    try {
      chain();
    } catch (error) {
      Sentry.captureException(error);
    }
  });

  await scenario("grouped", async () => {
    Sentry.captureException(new AggregateError([new TypeError("a"), new AggregateError([new Error("b")], "in")], "both"));
  });

  await scenario("message", async () => {
    Sentry.captureMessage(Sentry.logger.fmt`order ${"A-7"} is late by ${3} days`, "log");
  });

  await scenario("context", async (scope) => {
    scope.setUser({ id: "7", email: "ann@example.com", username: "ann", plan: "gold" });
    scope.setTag("flavour", "plum");
    scope.setTag("count", 3);
    scope.setContext("order", { total: 12, lines: ["A", { n: 1.5 }], paid: null });
    scope.setExtra("cart", [1, "two", null, { three: 3 }]);
    scope.setExtra("note", "the password is sesame");
    scope.setFingerprint(["{{ default }}", "plums", "3"]);
    Sentry.captureMessage("context", "warning");
  });

  await scenario("breadcrumbs", async () => {
    Sentry.addBreadcrumb({ category: "cart", message: "added a book", level: "info", data: { price: 3 } });
    Sentry.addBreadcrumb({ type: "navigation", category: "page", message: "to the till", level: "debug" });
    console.warn("the till is slow");
    Sentry.captureMessage("with crumbs");
  });

  await scenario("attachment", async (scope) => {
    scope.addAttachment({ filename: "notes.txt", data: "remember\n" });
    scope.addAttachment({
      filename: "blob.bin",
      data: Uint8Array.from({ length: 50000 }, (_, i) => i % 251),
      contentType: "image/png",
      attachmentType: "event.view_hierarchy",
    });
    Sentry.captureMessage("with files \ud83c\udf51 and half of one: \ud83c");
  });

  await serve();

  await scenario("promise", async () => {
    Promise.reject(new Error("nobody waits for this"));
    await new Promise((done) => setImmediate(done));
  });

  await Sentry.flush(10000);
  Sentry.getIsolationScope().setTag("scenario", "unhandled");
  setImmediate(() => {
    throw new Error("nobody catches this");
  });
}

async function serve() {
  const app = express();
  app.use(express.json());
  app.post("/buy/:item", (request) => {
    Sentry.setTag("scenario", "request");
    throw new Error(`sold out: ${request.params.item}`);
  });
  Sentry.setupExpressErrorHandler(app);
  // Without it Express writes the error to the console.
  app.use((error, request, response, next) => response.status(500).end(next ? "" : error.message));
  const server = app.listen(0, "127.0.0.1");
  await new Promise((done) => server.once("listening", done));
  const answer = await fetch(`http://127.0.0.1:${server.address().port}/buy/plum?size=3&colour=dark%20blue`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      cookie: "theme=dark; sessionid=sesame",
      "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
      "x-note": "yes",
    },
    body: JSON.stringify({ count: 5, password: "hunter2" }),
  });
  await answer.text();
  await new Promise((done) => server.close(done));
}

main();
