//! What an endpoint answers.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Value, json};

const OCTETS: &str = "application/octet-stream";
/// Bytes of a file that are read at once.
const BLOCK: usize = 256 << 10;

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The body.
    pub body: Content,
    /// Headers.
    pub headers: Vec<(HeaderName, String)>,
}

/// A body.
#[derive(Debug)]
pub enum Content {
    /// None.
    Empty,
    /// JSON.
    Json(Value),
    /// Bytes with their MIME type.
    Bytes(Vec<u8>, String),
    /// What is read while it is sent.
    Stream(Stream),
}

/// Bytes that are read where reading may block.
pub struct Stream {
    reader: Box<dyn Read + Send>,
    length: u64,
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.length)
    }
}

impl Answer {
    /// 200 with JSON.
    pub fn json(value: impl Into<Value>) -> Answer {
        Answer {
            status: StatusCode::OK,
            body: Content::Json(value.into()),
            headers: vec![],
        }
    }

    /// 201 with JSON.
    pub fn created(value: impl Into<Value>) -> Answer {
        Answer {
            status: StatusCode::CREATED,
            ..Answer::json(value)
        }
    }

    /// 200 with a page.
    pub fn html(page: &str) -> Answer {
        Answer {
            status: StatusCode::OK,
            body: Content::Bytes(page.as_bytes().to_vec(), "text/html; charset=utf-8".to_owned()),
            headers: vec![(
                header::CONTENT_SECURITY_POLICY,
                "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"
                    .to_owned(),
            )],
        }
    }

    /// 204.
    pub fn nothing() -> Answer {
        Answer {
            status: StatusCode::NO_CONTENT,
            body: Content::Empty,
            headers: vec![],
        }
    }

    /// Bytes to be saved under a name, never shown by a browser as a page.
    pub fn download((reader, length): (Box<dyn Read + Send>, u64), name: &str) -> Answer {
        saved(Content::Stream(Stream { reader, length }), name)
    }

    /// [`Answer::download`] of a file of this machine.
    pub fn file(path: &Path, name: &str) -> Result<Answer, ApiError> {
        let missing = |_| ApiError::missing("The file");
        let file = File::open(path).map_err(missing)?;
        let length = file.metadata().map_err(missing)?.len();
        Ok(Answer::download((Box::new(file), length), name))
    }

    /// With a header.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: impl Into<String>) -> Answer {
        self.headers.push((name, value.into()));
        self
    }
}

fn saved(body: Content, name: &str) -> Answer {
    let name = name.rsplit(['/', '\\']).next().unwrap_or("");
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || "._- ".contains(c) {
            c
        } else {
            '_'
        }
    };
    let name: String = name.chars().map(plain).take(200).collect();
    Answer {
        status: StatusCode::OK,
        body,
        headers: vec![],
    }
    .with(
        header::CONTENT_DISPOSITION,
        format!("attachment; filename=\"{name}\""),
    )
    .with(header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'")
}

/// A body that is read block by block.
fn streamed(stream: Stream) -> Body {
    let blocks = futures_util::stream::try_unfold(stream.reader, |mut reader| async move {
        let read = tokio::task::spawn_blocking(move || {
            let mut block = Vec::with_capacity(BLOCK);
            let n = reader.as_mut().take(BLOCK as u64).read_to_end(&mut block)?;
            std::io::Result::Ok((n > 0).then_some((block, reader)))
        });
        read.await.map_err(std::io::Error::other)?
    });
    Body::from_stream(blocks)
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut length = None;
        let (body, mime) = match self.body {
            Content::Empty => (Body::empty(), None),
            Content::Json(value) => (Body::from(value.to_string()), Some("application/json".to_owned())),
            Content::Bytes(bytes, mime) => (Body::from(bytes), Some(mime)),
            Content::Stream(stream) => {
                length = Some(stream.length);
                (streamed(stream), Some(OCTETS.to_owned()))
            }
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        );
        if let Some(length) = length {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        }
        if let Some(mime) = mime {
            let plain = HeaderValue::from_static(OCTETS);
            headers.insert(
                header::CONTENT_TYPE,
                HeaderValue::from_str(&mime).unwrap_or(plain),
            );
        }
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.append(name, value);
            }
        }
        response
    }
}

/// Why an endpoint could not do what it was asked.
#[derive(Debug)]
pub enum ApiError {
    /// 400: what is wrong, in a sentence.
    Bad(String),
    /// 400: what is wrong with fields, by name.
    Fields(Vec<(String, String)>),
    /// 400: a query, with the place in it.
    Query(storage::search::QueryError),
    /// 401.
    Unauthorized(String),
    /// 401 with a code that clients know: the caller is known, but must do something first.
    First(&'static str, String, Value),
    /// 403.
    Forbidden(String),
    /// 403: this organization is entered through its provider.
    SsoRequired(String),
    /// 404.
    Missing(String),
    /// 409.
    Conflict(String),
    /// 413.
    TooLarge(String),
    /// 429, with seconds to wait.
    TooMany(String, u64),
    /// 503.
    Unavailable(String),
    /// 500: said to the log, not to the client.
    Internal(String),
}

impl ApiError {
    /// 404 of a noun.
    pub fn missing(noun: &str) -> ApiError {
        ApiError::Missing(format!("{noun} not found"))
    }

    /// 400 of one field.
    pub fn field(name: &str, what: impl Into<String>) -> ApiError {
        ApiError::Fields(vec![(name.to_owned(), what.into())])
    }
}

macro_rules! internal {
    ($($t:ty),*) => { $(impl From<$t> for ApiError {
        fn from(e: $t) -> ApiError { ApiError::Internal(e.to_string()) }
    })* };
}
internal!(
    storage::columns::ColumnsError,
    storage::payloads::PayloadError,
    protocol::table::BadRow
);

impl From<storage::sql::SqlError> for ApiError {
    fn from(e: storage::sql::SqlError) -> ApiError {
        match e {
            storage::sql::SqlError::Unavailable(what) => ApiError::Unavailable(what),
            storage::sql::SqlError::Constraint(what) => ApiError::Conflict(what),
            other => ApiError::Internal(other.to_string()),
        }
    }
}

impl From<storage::search::QueryError> for ApiError {
    fn from(e: storage::search::QueryError) -> ApiError {
        ApiError::Query(e)
    }
}

impl From<storage::blobs::BlobError> for ApiError {
    fn from(e: storage::blobs::BlobError) -> ApiError {
        match e {
            storage::blobs::BlobError::Missing => ApiError::missing("The file"),
            other => ApiError::Internal(other.to_string()),
        }
    }
}

impl From<storage::uploads::UploadError> for ApiError {
    fn from(e: storage::uploads::UploadError) -> ApiError {
        match e {
            storage::uploads::UploadError::Refused(why) => ApiError::Bad(why),
            storage::uploads::UploadError::Unavailable(why) => ApiError::Unavailable(why),
            storage::uploads::UploadError::Store(why) => ApiError::Internal(why),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut retry = None;
        let (status, body) = match self {
            ApiError::Bad(what) => (StatusCode::BAD_REQUEST, json!({ "detail": what })),
            ApiError::Fields(fields) => {
                let mut body = serde_json::Map::new();
                for (name, what) in fields {
                    body.insert(name, json!([what]));
                }
                (StatusCode::BAD_REQUEST, Value::Object(body))
            }
            ApiError::Query(e) => (
                StatusCode::BAD_REQUEST,
                json!({ "detail": e.message, "position": { "start": e.start, "end": e.end } }),
            ),
            ApiError::Unauthorized(what) => (StatusCode::UNAUTHORIZED, json!({ "detail": what })),
            ApiError::First(code, message, extra) => {
                let detail = json!({ "code": code, "message": message, "extra": extra });
                (StatusCode::UNAUTHORIZED, json!({ "detail": detail }))
            }
            ApiError::Forbidden(what) => (StatusCode::FORBIDDEN, json!({ "detail": what })),
            ApiError::SsoRequired(org) => (
                StatusCode::FORBIDDEN,
                json!({
                    "detail": "This organization is entered through its single sign-on.", "code": "sso-required",
                    "loginUrl": format!("/auth/sso/{org}/"),
                }),
            ),
            ApiError::Missing(what) => (StatusCode::NOT_FOUND, json!({ "detail": what })),
            ApiError::Conflict(what) => (StatusCode::CONFLICT, json!({ "detail": what })),
            ApiError::TooLarge(what) => (StatusCode::PAYLOAD_TOO_LARGE, json!({ "detail": what })),
            ApiError::TooMany(what, seconds) => {
                retry = Some(seconds);
                (StatusCode::TOO_MANY_REQUESTS, json!({ "detail": what }))
            }
            ApiError::Unavailable(what) => {
                tracing::error!(error = what, "a store is unavailable");
                retry = Some(5);
                let detail = format!("The server cannot do this now: {what}");
                (StatusCode::SERVICE_UNAVAILABLE, json!({ "detail": detail }))
            }
            ApiError::Internal(what) => {
                let id = uuid::Uuid::new_v4().simple().to_string();
                tracing::error!(error = what, id, "a request failed");
                let detail = format!("Internal error; its cause is in the server's log under {id}");
                (
                    StatusCode::INTERNAL_SERVER_ERROR,
                    json!({ "detail": detail, "errorId": id }),
                )
            }
        };
        let mut answer = Answer {
            status,
            body: Content::Json(body),
            headers: vec![],
        };
        if let Some(seconds) = retry {
            answer = answer.with(header::RETRY_AFTER, seconds.to_string());
        }
        answer.into_response()
    }
}
