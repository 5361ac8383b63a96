//! What a mail looks like: one list of parts, rendered as text and as HTML, so that both say the same.

use super::Language;

/// A mail in some language, before it is rendered.
pub struct Letter {
    pub subject: String,
    pub parts: Vec<Part>,
}

/// One part. None may carry markup: what it holds is shown as it stands.
pub enum Part {
    Paragraph(String),
    /// Something to be typed, alone on its line.
    Code(String),
    /// A place to go. The address is shown too: whoever reads text needs it, and whoever doubts wants to see it.
    Link {
        label: String,
        url: String,
    },
}

impl Letter {
    pub fn new(subject: impl Into<String>) -> Self {
        Self { subject: subject.into(), parts: Vec::new() }
    }

    #[must_use]
    pub fn paragraph(mut self, text: impl Into<String>) -> Self {
        self.parts.push(Part::Paragraph(text.into()));
        self
    }

    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.parts.push(Part::Code(code.into()));
        self
    }

    #[must_use]
    pub fn link(mut self, label: impl Into<String>, url: impl Into<String>) -> Self {
        self.parts.push(Part::Link { label: label.into(), url: url.into() });
        self
    }

    pub fn text(&self) -> String {
        let part = |part: &Part| match part {
            Part::Paragraph(text) => text.clone(),
            Part::Code(code) => format!("    {code}"),
            Part::Link { label, url } => format!("{label}:\n{url}"),
        };
        let parts: Vec<String> = self.parts.iter().map(part).collect();
        parts.join("\n\n") + "\n"
    }

    /// Nothing is fetched from anywhere when it is read, so reading it tells nobody.
    pub fn html(&self, language: Language) -> String {
        let mut html = format!(
            "<!doctype html>\n<html lang=\"{}\">\n<head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\"><meta name=\"color-scheme\" content=\"light dark\">\
             <title>{}</title></head>\n<body style=\"{BODY}\">\n",
            language.tag(),
            Escaped(&self.subject),
        );
        for part in &self.parts {
            html.push_str(&match part {
                Part::Paragraph(text) => format!("<p>{}</p>\n", Escaped(text)),
                Part::Code(code) => format!("<p style=\"{CODE}\">{}</p>\n", Escaped(code)),
                Part::Link { label, url } => {
                    let url = Escaped(url);
                    format!("<p><a href=\"{url}\">{}</a><br><small>{url}</small></p>\n", Escaped(label))
                }
            });
        }
        html.push_str("</body>\n</html>\n");
        html
    }
}

const BODY: &str = "font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:2rem auto;padding:0 1rem";
const CODE: &str = "font:600 1.75rem/1.2 ui-monospace,monospace;letter-spacing:.1em";

/// Text as it stands in HTML, in an element or between double quotes.
struct Escaped<'a>(&'a str);

impl std::fmt::Display for Escaped<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => formatter.write_str("&amp;")?,
                '<' => formatter.write_str("&lt;")?,
                '>' => formatter.write_str("&gt;")?,
                '"' => formatter.write_str("&quot;")?,
                other => std::fmt::Write::write_char(formatter, other)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::{Notice, Template};

    const URL: &str = "https://weather.example.org";

    #[test]
    fn both_forms_say_the_same() {
        let letter = Letter::new("Subject")
            .paragraph("Somebody & <you>.")
            .code("AB-CD")
            .link("Open \"it\"", "https://a.example/x#y=z");
        assert_eq!(
            letter.text(),
            "Somebody & <you>.\n\n    AB-CD\n\nOpen \"it\":\nhttps://a.example/x#y=z\n"
        );
        let html = letter.html(Language::German);
        assert!(html.contains("<html lang=\"de\">") && html.contains("<title>Subject</title>"), "{html}");
        assert!(html.contains("<p>Somebody &amp; &lt;you&gt;.</p>"), "{html}");
        assert!(html.contains("<a href=\"https://a.example/x#y=z\">Open &quot;it&quot;</a>"), "{html}");
    }

    /// The words of every mail in every language: whoever changes one sees what is read.
    #[test]
    fn every_mail_is_written_in_every_language() {
        let notices = Notice::each();
        let code = "7Q4K-M2XR";
        let named = [
            Template::Confirmation { code },
            Template::AlreadyRegistered,
            Template::PasswordReset { secret: "kZ3x" },
            Template::NoAccount,
            Template::EmailChangeTo { code },
            Template::EmailChangeFrom { code },
            Template::EmailTaken,
        ];
        let templates: Vec<_> = named.into_iter().chain(notices.iter().map(Template::Notice)).collect();
        for template in &templates {
            let subjects = Language::ALL.map(|language| {
                let letter = language.write(template, URL);
                let (text, html) = (letter.text(), letter.html(language));
                assert!(
                    !letter.subject.is_empty() && letter.subject.chars().count() <= 78,
                    "{}",
                    letter.subject
                );
                assert!(!letter.subject.contains(['\r', '\n']), "{}", letter.subject);
                assert!(text.contains("Fairweather") || letter.subject.contains("Fairweather"), "{text}");
                for part in &letter.parts {
                    let (Part::Paragraph(shown) | Part::Code(shown) | Part::Link { url: shown, .. }) = part;
                    assert!(text.contains(shown.as_str()), "{text}");
                    assert!(html.contains(&Escaped(shown).to_string()), "{html}");
                    if let Part::Link { url, .. } = part {
                        assert!(url.starts_with(URL), "{url}");
                        assert!(!url.contains('?'), "what is secret goes behind the #: {url}");
                    }
                }
                letter.subject
            });
            assert_ne!(subjects[0], subjects[1], "somebody forgot to translate it");
        }
    }
}
