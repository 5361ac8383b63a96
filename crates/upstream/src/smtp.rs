//! Handing mail to the operator's SMTP server: one conversation per message, encrypted unless the server is on this
//! machine.
//!
//! What a server answers may repeat the address that it was given, so of its words only the number is told.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use domain::{Error, Result, Timestamp};
use lettre::address::Envelope;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters, TlsVersion};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use reqwest::Url;
use tokio::time::timeout;

/// What an operator says of the server.
#[derive(Clone, Debug)]
pub struct SmtpSettings<'a> {
    /// `smtps://user:password@host` (TLS from the first byte) or `smtp://user:password@host` (STARTTLS, which is
    /// required unless the host is this machine; `?tls=required` requires it there too).
    pub url: &'a str,
    /// Who mail comes from: `Fairweather <weather@example.org>`.
    pub from: &'a str,
    /// Certificates of an authority of the operator's own, in PEM.
    pub authority: Option<&'a [u8]>,
    /// What this server calls itself.
    pub hello: &'a str,
    /// How long a whole conversation may take.
    pub patience: Duration,
}

/// A server that takes our mail.
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    hello: String,
    patience: Duration,
}

/// A message to be sent.
#[derive(Clone, Copy)]
pub struct Outgoing<'a> {
    /// Stays the same when it is sent again, so that whoever gets it twice can tell.
    pub id: uuid::Uuid,
    pub at: Timestamp,
    pub to: &'a str,
    pub subject: &'a str,
    pub text: &'a str,
    pub html: &'a str,
}

/// Why a message was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The server cannot be talked to, or wants nothing from us: the next message would fare no better.
    Unreachable(String),
    /// Not now.
    Temporary(u16),
    /// Never.
    Permanent(String),
}

impl Smtp {
    /// # Errors
    /// When a setting does not fit; the text names it and holds no password.
    pub fn new(settings: &SmtpSettings<'_>) -> Result<Self> {
        let wrong = |what: &str| Error::internal(format!("mail.{what}"));
        let url = Url::parse(settings.url).map_err(|_| wrong("url must be smtp://host or smtps://host"))?;
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or_else(|| wrong("url names no host"))?.trim_matches(['[', ']']).to_owned();
        let must_encrypt = match url.query() {
            None => !is_this_machine(&host),
            Some("tls=required") => true,
            Some(_) => return Err(wrong("url may end in ?tls=required and in nothing else")),
        };
        let (tls, port) = match (url.scheme(), must_encrypt) {
            ("smtps", _) => (Tls::Wrapper(tls_of(&host, settings.authority)?), 465),
            ("smtp", true) => (Tls::Required(tls_of(&host, settings.authority)?), 587),
            ("smtp", false) => (Tls::None, 25),
            _ => return Err(wrong("url must begin with smtp:// or smtps://")),
        };
        let from: Mailbox = settings
            .from
            .parse()
            .map_err(|_| wrong("from must be an address: Fairweather <weather@example.org>"))?;
        let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(url.port().unwrap_or(port))
            .tls(tls)
            .hello_name(ClientId::Domain(settings.hello.to_owned()))
            .timeout(Some(settings.patience));
        let builder = match (url.username(), url.password()) {
            ("", None) => builder,
            (user, password) => {
                let decode = |text: &str| {
                    let decoded = percent_encoding::percent_decode_str(text).decode_utf8();
                    decoded.map(String::from).map_err(|_| wrong("url: user and password must be UTF-8"))
                };
                builder.credentials(Credentials::new(decode(user)?, decode(password.unwrap_or_default())?))
            }
        };
        let hello = settings.hello.to_owned();
        Ok(Self { transport: builder.build(), from, hello, patience: settings.patience })
    }

    /// Hands a message over. It may arrive twice when the conversation breaks off after its last word: nobody can
    /// know then what became of it.
    pub async fn send(&self, outgoing: &Outgoing<'_>) -> Result<(), Refusal> {
        let (envelope, message) = self.write(outgoing)?;
        match timeout(self.patience, self.transport.send_raw(&envelope, &message)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(refusal(&error)),
            Err(_) => Err(Refusal::Unreachable(String::from("it does not answer"))),
        }
    }

    /// Whether the server talks to us: connects, encrypts and signs in, and sends nothing.
    ///
    /// # Errors
    /// When it does not, with the reason.
    pub async fn check(&self) -> Result<(), String> {
        match timeout(self.patience, self.transport.test_connection()).await {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => Err(String::from("it does not answer as an SMTP server does")),
            Ok(Err(error)) => Err(match refusal(&error) {
                Refusal::Unreachable(why) | Refusal::Permanent(why) => why,
                Refusal::Temporary(code) => format!("it answers {code}"),
            }),
            Err(_) => Err(String::from("it does not answer")),
        }
    }

    /// The message as it goes over the wire. Whatever somebody typed is encoded, so no line of it becomes a header.
    fn write(&self, outgoing: &Outgoing<'_>) -> Result<(Envelope, Vec<u8>), Refusal> {
        let never = |_| Refusal::Permanent(String::from("it has an address that cannot be mailed"));
        let to: Address = outgoing.to.parse().map_err(never)?;
        let unwritten = |error: lettre::error::Error| Refusal::Permanent(error.to_string());
        let millis = u64::try_from(outgoing.at.millis()).unwrap_or_default();
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(outgoing.subject)
            .date(SystemTime::UNIX_EPOCH + Duration::from_millis(millis))
            .message_id(Some(format!("<{}@{}>", outgoing.id, self.hello)))
            // Machines are not to answer (RFC 3834).
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                String::from("auto-generated"),
            ))
            .multipart(MultiPart::alternative_plain_html(outgoing.text.to_owned(), outgoing.html.to_owned()))
            .map_err(unwritten)?;
        Ok((message.envelope().clone(), message.formatted()))
    }
}

impl std::fmt::Debug for Smtp {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Smtp(…)")
    }
}

/// What each certificate in PEM begins with (RFC 7468).
const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";

fn tls_of(host: &str, authority: Option<&[u8]>) -> Result<TlsParameters> {
    let mut builder = TlsParameters::builder(host.to_owned()).set_min_tls_version(TlsVersion::Tlsv12);
    if let Some(pem) = authority {
        let wrong = || Error::internal("mail.authority must hold certificates in PEM");
        // The parser passes over what it does not know, so a file of something else would be an authority of nothing.
        if !pem.windows(BEGIN.len()).any(|window| window == BEGIN) {
            return Err(wrong());
        }
        let certificate = Certificate::from_pem(pem).map_err(|_| wrong())?;
        builder = builder.add_root_certificate(certificate);
    }
    builder.build_rustls().map_err(|error| Error::internal(format!("mail.url: {error}")))
}

/// Nobody listens in between.
fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn refusal(error: &lettre::transport::smtp::Error) -> Refusal {
    match error.status().map(u16::from) {
        // Our credentials are wrong, or encryption is: that is no fault of the message.
        Some(code @ (454 | 530 | 534 | 535 | 538)) => {
            Refusal::Unreachable(format!("it does not let this server in ({code})"))
        }
        Some(code) if error.is_permanent() => Refusal::Permanent(format!("the server answers {code}")),
        Some(code) => Refusal::Temporary(code),
        None => Refusal::Unreachable(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(url: &str) -> SmtpSettings<'_> {
        SmtpSettings {
            url,
            from: "Fairweather <weather@example.org>",
            authority: None,
            hello: "weather.example.org",
            patience: Duration::from_secs(5),
        }
    }

    #[test]
    fn settings_that_do_not_fit_are_named_without_the_password() {
        for url in [
            "",
            "mail.example.org",
            "http://ann:secret@mail.example.org",
            "smtp://",
            "smtp://ann:secret@mail.example.org?tls=none",
        ] {
            let error = Smtp::new(&settings(url)).unwrap_err().to_string();
            assert!(error.contains("mail.url") && !error.contains("secret"), "{url}: {error}");
        }
        let from = SmtpSettings { from: "nobody", ..settings("smtp://localhost") };
        assert!(Smtp::new(&from).unwrap_err().to_string().contains("mail.from"));
        let authority = SmtpSettings { authority: Some(b"no PEM"), ..settings("smtps://localhost") };
        assert!(Smtp::new(&authority).is_err());
        for url in ["smtp://localhost", "smtp://[::1]:1025", "smtps://ann:p%40ss@mail.example.org"] {
            assert!(Smtp::new(&settings(url)).is_ok(), "{url}");
        }
    }

    /// A name that somebody chose must not become a header, nor a line of the conversation.
    #[test]
    fn no_text_becomes_a_header() {
        let smtp = Smtp::new(&settings("smtp://localhost")).unwrap();
        let outgoing = Outgoing {
            id: uuid::Uuid::from_u128(7),
            at: Timestamp::from_seconds(1_795_255_200),
            to: "ann@example.org",
            subject: "Hello\r\nBcc: eve@evil.example\r\n\r\nBody",
            text: "One\r\n.\r\nMAIL FROM:<eve@evil.example>\n",
            html: "<p>One</p>",
        };
        let (envelope, message) = smtp.write(&outgoing).unwrap();
        assert_eq!(envelope.to().len(), 1);
        let text = String::from_utf8(message).unwrap();
        let (head, _) = text.split_once("\r\n\r\n").unwrap();
        let names: Vec<_> = head
            .lines()
            .filter(|line| !line.starts_with([' ', '\t']))
            .filter_map(|line| line.split_once(':').map(|(name, _)| name))
            .collect();
        let known =
            ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"];
        assert!(names.iter().all(|name| known.contains(name)), "{head}");
        assert!(head.contains("<00000000-0000-0000-0000-000000000007@weather.example.org>"), "{head}");
        for to in ["ann@example.org\r\nRCPT TO:<eve@evil.example>", "ann@example.org>", "a b@example.org", ""]
        {
            assert!(matches!(smtp.write(&Outgoing { to, ..outgoing }), Err(Refusal::Permanent(_))), "{to:?}");
        }
    }
}
