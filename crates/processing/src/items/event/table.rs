//! The columns of error events. Their names are those of the search language.

use protocol::table::{Column, Table, Type};

const fn text(name: &'static str, doc: &'static str) -> Column {
    Column {
        name,
        kind: Type::Text,
        doc,
    }
}

const fn texts(name: &'static str, doc: &'static str) -> Column {
    Column {
        name,
        kind: Type::Texts,
        doc,
    }
}

const fn frames(name: &'static str, doc: &'static str) -> Column {
    Column {
        name,
        kind: Type::SharedTexts,
        doc,
    }
}

const fn words(name: &'static str, doc: &'static str) -> Column {
    Column {
        name,
        kind: Type::Words,
        doc,
    }
}

const fn flag(name: &'static str, doc: &'static str) -> Column {
    Column {
        name,
        kind: Type::Bool,
        doc,
    }
}

/// Error events. New columns are added at the end only.
pub static ERRORS: Table = Table {
    name: "errors",
    columns: &[
        text("level", "fatal, error, warning, info or debug"),
        text("event.type", "error, default or csp"),
        text("platform", "the SDK's platform"),
        text("environment", "the environment"),
        text("release", "the release"),
        text("dist", "the distribution of the release"),
        text("transaction", "the name of the transaction or route"),
        words("message", "the message"),
        words("title", "the title"),
        text("culprit", "where it happened, in one line"),
        text("location", "the file in which it happened"),
        text("logger", "the logger"),
        text("server_name", "the host"),
        text("user", "the user: id:1, email:a@b.c, username:ann or ip:10.0.0.1"),
        text("user.id", "the user's id"),
        text("user.email", "the user's e-mail address"),
        text("user.username", "the user's name"),
        text("user.ip", "the user's address"),
        text("geo.country_code", "the user's country, two letters"),
        text("geo.region", "the user's country by name"),
        text("geo.city", "the user's city"),
        text("geo.subdivision", "the user's part of the country"),
        text("trace", "the id of the trace"),
        text("trace.span", "the id of the span"),
        text("replayId", "the id of the replay"),
        text("sdk.name", "the SDK"),
        text("sdk.version", "the SDK's version"),
        texts("error.type", "the types of all exceptions"),
        texts("error.value", "the values of all exceptions"),
        texts("error.mechanism", "the mechanisms of all exceptions"),
        flag("error.handled", "whether the program handled all exceptions"),
        flag("error.unhandled", "whether an exception was not handled"),
        flag("error.main_thread", "whether it happened in the main thread"),
        frames("stack.abs_path", "paths of the frames"),
        frames("stack.filename", "file names of the frames"),
        frames("stack.function", "functions of the frames"),
        frames("stack.module", "modules of the frames"),
        frames("stack.package", "packages of the frames"),
        text("http.method", "the method of the request"),
        text("http.url", "the URL of the request"),
        text("http.referer", "the page from which the request came"),
        text("http.status_code", "the status of the response"),
        text("os", "name and version of the operating system"),
        text("os.name", "the operating system"),
        text("os.version", "the version of the operating system"),
        text("os.build", "the build of the operating system"),
        text("os.kernel_version", "the version of the kernel"),
        text("os.rooted", "whether the device is rooted: yes or no"),
        text("browser", "name and version of the browser"),
        text("browser.name", "the browser"),
        text("browser.version", "the version of the browser"),
        text("device", "the model of the device"),
        text("device.name", "the name of the device"),
        text("device.family", "the family of the device"),
        text("device.model", "the model of the device"),
        text("device.brand", "the brand of the device"),
        text("device.arch", "the processor's architecture"),
        text("device.locale", "the locale of the device"),
        text("device.orientation", "portrait or landscape"),
        text("device.uuid", "the id of the device"),
        text("device.class", "how fast the device is"),
        flag("device.simulator", "whether the device is simulated"),
        text("runtime", "name and version of the runtime"),
        text("runtime.name", "the runtime"),
        text("runtime.version", "the version of the runtime"),
        text("app", "the application's identifier"),
        text("app.name", "the application's name"),
        text("app.version", "the application's version"),
        text("app.build", "the application's build"),
        flag("app.in_foreground", "whether the application was in front"),
        text("fingerprint", "the fingerprint, where it is not the default"),
    ],
};
