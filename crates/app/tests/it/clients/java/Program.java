package shop;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.sentry.Attachment;
import io.sentry.Breadcrumb;
import io.sentry.Hint;
import io.sentry.IScope;
import io.sentry.Sentry;
import io.sentry.SentryEvent;
import io.sentry.SentryLevel;
import io.sentry.protocol.Message;
import io.sentry.protocol.Request;
import io.sentry.protocol.User;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;

/** The Java SDK: every scenario once, the exception that nobody catches last. */
public final class Program {
  static final class Declined extends Exception {
    Declined(String message, Throwable cause) {
      super(message, cause);
    }
  }

  interface Act {
    void in(IScope scope) throws Exception;
  }

  static void scenario(String name, Act act) {
    Sentry.withIsolationScope(
        scope -> {
          scope.setTag("scenario", name);
          try {
            act.in(scope);
          } catch (Exception error) {
            throw new IllegalStateException(error);
          }
        });
  }

  static int price(String text) {
    return Integer.parseInt(text);
  }

  static void chain() throws Declined {
    try {
      try {
        price("twelve");
      } catch (NumberFormatException error) {
        throw new IllegalStateException("no price", error);
      }
    } catch (IllegalStateException error) {
      throw new Declined("no offer", error);
    }
  }

  public static void main(String[] arguments) throws Exception {
    Sentry.init(
        options -> {
          options.setDsn(arguments[0]);
          options.setRelease("shop@1.2.3");
          options.setDist("7");
          options.setEnvironment("test");
          options.setAttachStacktrace(true);
          options.addInAppInclude("shop");
        });

    scenario(
        "handled",
        scope -> {
          try {
            price("x");
          } catch (NumberFormatException error) {
            Sentry.captureException(error);
          }
        });
    scenario(
        "chained",
        scope -> {
          try {
            chain();
          } catch (Declined error) {
            Sentry.captureException(error);
          }
        });
    // Exceptions that were suppressed are what Java has of a group.
    scenario(
        "grouped",
        scope -> {
          Exception both = new Exception("both");
          both.addSuppressed(new IOException("disk"));
          both.addSuppressed(new RuntimeException("fan"));
          Sentry.captureException(both);
        });
    scenario(
        "message",
        scope -> {
          Message message = new Message();
          message.setMessage("order %s is late by %d days");
          message.setParams(List.of("A-7", "3"));
          message.setFormatted("order A-7 is late by 3 days");
          SentryEvent event = new SentryEvent();
          event.setMessage(message);
          event.setLogger("shop.orders");
          event.setLevel(SentryLevel.ERROR);
          Sentry.captureEvent(event);
        });
    scenario("context", Program::context);
    scenario(
        "breadcrumbs",
        scope -> {
          Breadcrumb book = Breadcrumb.info("added a book");
          book.setCategory("cart");
          book.setData("price", 3);
          book.setData("parts", List.of("cover", Map.of("pages", 200)));
          Sentry.addBreadcrumb(book);
          Sentry.addBreadcrumb(Breadcrumb.navigation("/cart", "/till"));
          Sentry.addBreadcrumb(Breadcrumb.http("http://bank.example/pay?card=1", "POST", 402));
          Breadcrumb pen = Breadcrumb.debug("added a pen");
          pen.setCategory("cart");
          Sentry.addBreadcrumb(pen);
          Sentry.captureMessage("with crumbs");
        });
    scenario("threads", scope -> threads());
    scenario(
        "attachment",
        scope -> {
          scope.addAttachment(new Attachment("remember\n".getBytes(StandardCharsets.UTF_8), "notes.txt"));
          byte[] blob = new byte[50_000];
          for (int i = 0; i < blob.length; i++) {
            blob[i] = (byte) (i % 251);
          }
          scope.addAttachment(new Attachment(blob, "blob.bin", "image/png"));
          Sentry.captureMessage("with files");
        });
    serve();

    Sentry.flush(10_000);
    Sentry.configureScope(scope -> scope.setTag("scenario", "unhandled"));
    throw new IllegalStateException("nobody catches this");
  }

  static void context(IScope scope) {
    User user = new User();
    user.setId("7");
    user.setEmail("ann@example.com");
    user.setUsername("ann");
    user.setData(Map.of("plan", "gold"));
    scope.setUser(user);
    scope.setTag("flavour", "plum");
    Map<String, Object> order = new LinkedHashMap<>();
    order.put("total", 12);
    order.put("lines", Arrays.asList("A", 1.5, null));
    scope.setContexts("order", order);
    scope.setExtra("note", "the password is sesame");
    scope.setExtra("cart", "two plums \ud83c\udf51");
    scope.setFingerprint(List.of("{{ default }}", "plums"));
    scope.setTransaction("checkout");
    Sentry.captureMessage("context", SentryLevel.WARNING);
  }

  static void threads() throws InterruptedException {
    CountDownLatch started = new CountDownLatch(1);
    CountDownLatch end = new CountDownLatch(1);
    Thread packer =
        new Thread(
            () -> {
              started.countDown();
              try {
                end.await();
              } catch (InterruptedException error) {
                Thread.currentThread().interrupt();
              }
            },
            "packer");
    packer.start();
    started.await();
    // All threads come along with this one event.
    Sentry.getCurrentScopes().getOptions().setAttachThreads(true);
    Sentry.captureException(new IllegalStateException("the packer hangs"), new Hint());
    Sentry.getCurrentScopes().getOptions().setAttachThreads(false);
    end.countDown();
    packer.join();
  }

  static Request request(HttpExchange exchange) throws IOException {
    Request request = new Request();
    request.setMethod(exchange.getRequestMethod());
    request.setUrl("http://" + exchange.getRequestHeaders().getFirst("Host") + exchange.getRequestURI().getPath());
    request.setQueryString(exchange.getRequestURI().getRawQuery());
    request.setCookies(exchange.getRequestHeaders().getFirst("Cookie"));
    Map<String, String> headers = new LinkedHashMap<>();
    exchange.getRequestHeaders().forEach((name, values) -> headers.put(name, String.join(",", values)));
    headers.remove("Cookie");
    request.setHeaders(headers);
    request.setData(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
    request.setEnvs(Map.of("SERVER_PORT", Integer.toString(exchange.getLocalAddress().getPort())));
    return request;
  }

  static void serve() throws Exception {
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
    server.createContext(
        "/buy",
        exchange -> {
          scenario(
              "request",
              scope -> {
                scope.setRequest(request(exchange));
                Sentry.captureException(new IllegalStateException("sold out"));
              });
          exchange.sendResponseHeaders(500, -1);
          exchange.close();
        });
    server.start();
    String address = "http://127.0.0.1:" + server.getAddress().getPort() + "/buy/plum?size=3&colour=dark%20blue";
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(address))
            .POST(HttpRequest.BodyPublishers.ofString("count=5&password=hunter2"))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .header("Cookie", "theme=dark; basket=9")
            .header("Authorization", "Basic sesame")
            .header("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0")
            .build();
    HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.discarding());
    server.stop(0);
  }
}
