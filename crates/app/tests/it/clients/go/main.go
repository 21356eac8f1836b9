// The Go SDK with net/http: every scenario once, the panic that ends the program last.
package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/getsentry/sentry-go"
	sentryhttp "github.com/getsentry/sentry-go/http"
)

type declined struct {
	Card string
}

func (d declined) Error() string {
	return "the bank declined"
}

func scenario(name string, act func(scope *sentry.Scope)) {
	sentry.WithScope(func(scope *sentry.Scope) {
		scope.SetTag("scenario", name)
		act(scope)
	})
}

func chain() error {
	price := fmt.Errorf("no price: %w", os.ErrNotExist)
	return fmt.Errorf("no offer <&> \u2028: %w", price)
}

func main() {
	err := sentry.Init(sentry.ClientOptions{
		Dsn:              os.Args[1],
		Release:          "shop@1.2.3",
		Dist:             "7",
		Environment:      "test",
		AttachStacktrace: true,
		SendDefaultPII:   true,
	})
	if err != nil {
		panic(err)
	}

	scenario("handled", func(scope *sentry.Scope) {
		sentry.CaptureException(declined{Card: "none"})
	})
	scenario("chained", func(scope *sentry.Scope) {
		sentry.CaptureException(chain())
	})
	// What this SDK marks as a group is a chain.
	scenario("grouped", func(scope *sentry.Scope) {
		sentry.CaptureException(fmt.Errorf("both: %w", chain()))
	})
	scenario("message", func(scope *sentry.Scope) {
		sentry.CaptureMessage(fmt.Sprintf("order %s is late by %d days", "A-7", 3))
	})
	scenario("context", func(scope *sentry.Scope) {
		scope.SetUser(sentry.User{
			ID:       "7",
			Email:    "ann@example.com",
			Username: "ann",
			Name:     "Ann",
			Data:     map[string]string{"plan": "gold"},
		})
		scope.SetTag("flavour", "plum")
		scope.SetContext("order", sentry.Context{"total": 12, "lines": []interface{}{"A", 1.5, nil}})
		scope.SetExtra("cart", map[string]interface{}{"items": 2})
		scope.SetExtra("note", "the password is sesame")
		scope.SetFingerprint([]string{"{{ default }}", "plums"})
		scope.SetLevel(sentry.LevelWarning)
		sentry.CaptureMessage("context")
	})
	scenario("breadcrumbs", func(scope *sentry.Scope) {
		sentry.AddBreadcrumb(&sentry.Breadcrumb{
			Category: "cart",
			Message:  "added a book",
			Level:    sentry.LevelInfo,
			Data:     map[string]interface{}{"price": 3},
		})
		sentry.AddBreadcrumb(&sentry.Breadcrumb{Type: "navigation", Category: "page", Message: "to the till"})
		sentry.CaptureMessage("with crumbs")
	})
	scenario("threads", func(scope *sentry.Scope) {
		done := make(chan bool)
		go func(hub *sentry.Hub) {
			hub.CaptureMessage("a message has the stack of its goroutine")
			close(done)
		}(sentry.CurrentHub().Clone())
		<-done
	})
	scenario("attachment", func(scope *sentry.Scope) {
		scope.AddAttachment(&sentry.Attachment{Filename: "notes.txt", Payload: []byte("remember\n")})
		scope.AddAttachment(&sentry.Attachment{
			Filename:    "blob.bin",
			ContentType: "application/octet-stream",
			Payload:     []byte(strings.Repeat("\x00\n\xff{}", 10000)),
		})
		scope.AddAttachment(&sentry.Attachment{Filename: "empty.txt"})
		sentry.CaptureMessage("with files")
	})
	serve()

	if !sentry.Flush(10 * time.Second) {
		panic("not everything was sent in time")
	}
	sentry.ConfigureScope(func(scope *sentry.Scope) { scope.SetTag("scenario", "unhandled") })
	defer func() {
		found := recover()
		sentry.CurrentHub().Recover(found)
		sentry.Flush(10 * time.Second)
		panic(found)
	}()
	panic(errors.New("nobody catches this"))
}

func serve() {
	middleware := sentryhttp.New(sentryhttp.Options{})
	server := httptest.NewServer(middleware.HandleFunc(func(w http.ResponseWriter, r *http.Request) {
		hub := sentry.GetHubFromContext(r.Context())
		hub.Scope().SetTag("scenario", "request")
		if _, err := io.ReadAll(r.Body); err != nil {
			panic(err)
		}
		panic("sold out: " + strings.TrimPrefix(r.URL.Path, "/buy/"))
	}))
	defer server.Close()
	body := strings.NewReader(`{"count": 5, "password": "hunter2"}`)
	request, err := http.NewRequest("POST", server.URL+"/buy/plum?size=3&colour=dark%20blue", body)
	if err != nil {
		panic(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Cookie", "theme=dark; basket=sesame")
	request.Header.Set("Authorization", "Basic sesame")
	request.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		panic(err)
	}
	answer.Body.Close()
}
