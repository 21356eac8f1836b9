//! Mail by SMTP (RFC 5321), with TLS from the start (RFC 8314), STARTTLS (RFC 3207) or none.

use std::net::ToSocketAddrs as _;
use std::path::PathBuf;
use std::time::Duration;

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{Message, SmtpTransport, Transport as _};
use storage::mail::{Mail, MailError, Mailer};

/// How long a step of the conversation may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// How the connection is secured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// Not at all.
    None,
    /// It begins in the clear and must be secured before anything is said.
    StartTls,
    /// From its first byte.
    Tls,
}

impl Security {
    /// Its name in settings.
    pub fn name(self) -> &'static str {
        match self {
            Security::None => "none",
            Security::StartTls => "starttls",
            Security::Tls => "tls",
        }
    }

    /// The port that is usual.
    pub fn port(self) -> u16 {
        match self {
            Security::None => 25,
            Security::StartTls => 587,
            Security::Tls => 465,
        }
    }
}

/// Where mail goes.
#[derive(Debug, Clone)]
pub struct SmtpConfig {
    /// The server's name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How it is talked to.
    pub security: Security,
    /// Name and password, if it asks for them.
    pub login: Option<(String, String)>,
    /// Whom mail is from: an address, or `Name <address>`.
    pub from: String,
    /// Certificates (PEM) that are trusted besides the system's.
    pub ca_file: Option<PathBuf>,
}

/// A mail server.
pub struct Smtp {
    config: SmtpConfig,
    from: Mailbox,
    transport: SmtpTransport,
}

fn for_ever(text: impl Into<String>) -> MailError {
    MailError {
        permanent: true,
        text: text.into(),
    }
}

impl Smtp {
    /// A mail server by its settings; nobody is asked yet.
    ///
    /// # Errors
    /// If `from` is no address, or the certificates cannot be read.
    pub fn new(config: SmtpConfig) -> Result<Smtp, MailError> {
        let from: Mailbox = config
            .from
            .parse()
            .map_err(|e| for_ever(format!("mail-from '{}' is no address: {e}", config.from)))?;
        let tls = || -> Result<TlsParameters, MailError> {
            let mut builder = TlsParameters::builder(config.host.clone());
            if let Some(path) = &config.ca_file {
                let pem =
                    std::fs::read(path).map_err(|e| for_ever(format!("ca-file {}: {e}", path.display())))?;
                let certificate = Certificate::from_pem(&pem)
                    .map_err(|e| for_ever(format!("ca-file {}: {e}", path.display())))?;
                builder = builder.add_root_certificate(certificate);
            }
            builder.build().map_err(|e| for_ever(format!("TLS: {e}")))
        };
        let tls = match config.security {
            Security::None => Tls::None,
            Security::StartTls => Tls::Required(tls()?),
            Security::Tls => Tls::Wrapper(tls()?),
        };
        let mut builder = SmtpTransport::builder_dangerous(&config.host)
            .port(config.port)
            .timeout(Some(PATIENCE))
            .tls(tls);
        if let Some((name, password)) = &config.login {
            builder = builder.credentials(Credentials::new(name.clone(), password.clone()));
        }
        Ok(Smtp {
            transport: builder.build(),
            from,
            config,
        })
    }

    /// What an error means, and what to do about it.
    fn explain(&self, error: &lettre::transport::smtp::Error) -> MailError {
        let words = std::iter::successors(Some(error as &dyn std::error::Error), |e| e.source())
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(": ");
        let SmtpConfig { host, port, .. } = &self.config;
        let place = format!("{host}:{port}");
        let code = error.status().map(u16::from);
        let text = if let Err(e) = (host.as_str(), *port).to_socket_addrs() {
            format!("the name {host} is not known ({e}): check mail-host")
        } else if error.is_timeout() || waited(error) {
            format!(
                "{place} did not answer in {} s: check mail-host and mail-port, and that no firewall is between",
                PATIENCE.as_secs()
            )
        } else if error.is_tls() || words.contains("certificate") {
            format!(
                "{place}: TLS failed ({words}): check mail-tls, or name the server's authority in ca-file"
            )
        } else if matches!(code, Some(530 | 534 | 535)) {
            format!("{place} does not accept the login ({words}): check mail-user and mail-password")
        } else if code.is_some_and(|c| c >= 500) {
            format!("{place} refuses the mail ({words})")
        } else if error.is_client() {
            format!("{place}: {words}: check mail-tls and mail-user")
        } else {
            format!("{place}: {words}")
        };
        // What is refused for good may still be wrong settings: only what concerns the recipient is given up.
        let permanent = error.is_permanent() && matches!(code, Some(550..=553));
        MailError { permanent, text }
    }
}

/// Whether somebody waited for an answer that did not come, which a socket says in its own way.
fn waited(error: &lettre::transport::smtp::Error) -> bool {
    std::iter::successors(Some(error as &dyn std::error::Error), |e| e.source())
        .filter_map(|e| e.downcast_ref::<std::io::Error>())
        .any(|e| {
            matches!(
                e.kind(),
                std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
            )
        })
}

impl Mailer for Smtp {
    fn send(&self, mail: &Mail) -> Result<(), MailError> {
        let to: Mailbox = mail
            .to
            .parse()
            .map_err(|e| for_ever(format!("'{}' is no address: {e}", mail.to)))?;
        let mut builder = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(mail.subject.clone())
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".into(),
            ));
        if let Some(stop) = &mail.unsubscribe {
            builder = builder
                .raw_header(HeaderValue::new(
                    HeaderName::new_from_ascii_str("List-Unsubscribe"),
                    format!("<{stop}>"),
                ))
                .raw_header(HeaderValue::new(
                    HeaderName::new_from_ascii_str("List-Unsubscribe-Post"),
                    "List-Unsubscribe=One-Click".into(),
                ));
        }
        let message = builder
            .multipart(MultiPart::alternative_plain_html(
                mail.plain.clone(),
                mail.html.clone(),
            ))
            .map_err(|e| for_ever(e.to_string()))?;
        match self.transport.send(&message) {
            Ok(_) => Ok(()),
            Err(e) => Err(self.explain(&e)),
        }
    }

    fn check(&self) -> Result<(), MailError> {
        match self.transport.test_connection() {
            Ok(true) => Ok(()),
            Ok(false) => Err(MailError {
                permanent: false,
                text: format!("{}:{} ends the conversation", self.config.host, self.config.port),
            }),
            Err(e) => Err(self.explain(&e)),
        }
    }
}
