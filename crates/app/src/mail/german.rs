//! Mail in German.

use super::letter::Letter;
use super::{Method, Notice, Template};

pub fn write(template: &Template<'_>, public_url: &str) -> Letter {
    match template {
        Template::Confirmation { code } => Letter::new(format!("{code} ist dein Code für Fairweather"))
            .paragraph("Jemand, hoffentlich du, möchte diese Adresse bei Fairweather verwenden.")
            .paragraph("Tippe diesen Code dort ein, wo du dich angemeldet hast:")
            .code(*code)
            .link("Oder öffne diesen Link im selben Browser", format!("{public_url}/confirm#code={code}"))
            .paragraph(
                "Der Code gilt 30 Minuten. Warst du es nicht, dann beachte diese Mail nicht: Ohne den Code geschieht nichts.",
            ),
        Template::AlreadyRegistered => Letter::new("Du hast schon ein Konto bei Fairweather")
            .paragraph("Jemand, hoffentlich du, wollte sich mit dieser Adresse registrieren. Sie hat aber schon ein Konto.")
            .link("Melde dich stattdessen an", format!("{public_url}/"))
            .paragraph("Warst du es nicht, dann beachte diese Mail nicht: Nichts wurde geändert."),
        Template::PasswordReset { secret } => Letter::new("Setze dein Passwort bei Fairweather zurück")
            .paragraph("Jemand, hoffentlich du, hat das Passwort deines Kontos bei Fairweather vergessen.")
            .link("Wähle ein neues", format!("{public_url}/reset#token={secret}"))
            .paragraph(
                "Der Link gilt einmal und 30 Minuten lang. Warst du es nicht, dann beachte diese Mail nicht: Nichts \
                 wurde geändert.",
            ),
        Template::NoAccount => Letter::new("Mit dieser Adresse gibt es kein Konto bei Fairweather")
            .paragraph(
                "Jemand, hoffentlich du, wollte das Passwort eines Kontos mit dieser Adresse bei Fairweather \
                 zurücksetzen. Es gibt keines: Vielleicht hast du eine andere Adresse oder einen anderen Zugang benutzt.",
            )
            .link("Melde dich an oder registriere dich", format!("{public_url}/"))
            .paragraph("Warst du es nicht, dann beachte diese Mail nicht."),
        Template::EmailChangeTo { code } => Letter::new(format!("{code} ist dein Code für Fairweather"))
            .paragraph("Jemand, hoffentlich du, möchte diese Adresse für sein Konto bei Fairweather verwenden.")
            .paragraph("Tippe diesen Code dort ein, wo du angemeldet bist:")
            .code(*code)
            .paragraph(
                "Der Code gilt 24 Stunden. Warst du es nicht, dann beachte diese Mail nicht: Ohne den Code geschieht \
                 nichts.",
            ),
        Template::EmailChangeFrom { code } => {
            Letter::new(format!("{code} gibt deine Adresse bei Fairweather frei"))
                .paragraph("Jemand, hoffentlich du, möchte deinem Konto bei Fairweather eine andere E-Mail-Adresse geben.")
                .paragraph("Warst du es, dann tippe diesen Code dort ein, wo du angemeldet bist:")
                .code(*code)
                .paragraph("Der Code gilt 24 Stunden. Sag ihn niemandem.")
                .link(
                    "Warst du es nicht, dann ist jemand anderes bei deinem Konto angemeldet: Setze dein Passwort zurück",
                    format!("{public_url}/forgot"),
                )
        }
        Template::EmailTaken => Letter::new("Diese Adresse hat schon ein Konto bei Fairweather")
            .paragraph(
                "Jemand, hoffentlich du, wollte diese Adresse für ein anderes Konto bei Fairweather verwenden. Sie hat \
                 aber schon eines, deshalb geht das nicht.",
            )
            .link("Melde dich bei diesem an", format!("{public_url}/"))
            .paragraph("Warst du es nicht, dann beachte diese Mail nicht: Nichts wurde geändert."),
        Template::Notice(notice) => tell(notice, public_url),
    }
}

fn tell(notice: &Notice, public_url: &str) -> Letter {
    let letter = match notice {
        Notice::PasswordChanged => Letter::new("Dein Passwort bei Fairweather wurde geändert").paragraph(
            "Das Passwort deines Kontos bei Fairweather wurde geändert. Alle anderen Geräte wurden abgemeldet.",
        ),
        Notice::PasswordReset { others, second_factor } => {
            let mut letter = Letter::new("Dein Passwort bei Fairweather wurde zurückgesetzt").paragraph(
                "Das Passwort deines Kontos bei Fairweather wurde mit einem Link aus einer Mail neu gesetzt. Alle \
                 Geräte wurden abgemeldet.",
            );
            if *second_factor {
                letter = letter.paragraph(
                    "Beim Anmelden wird ein zweiter Faktor verlangt. Ist er nicht von dir, dann benutze den Link in der \
                     Mail, in der du von ihm erfahren hast.",
                );
            }
            if *others {
                letter.paragraph(
                    "Es hat auch andere Zugänge, zum Beispiel einen Anbieter oder einen Passkey. Sieh sie durch und \
                     entferne, was nicht von dir ist.",
                )
            } else {
                letter
            }
        }
        Notice::MethodAdded(method) => Letter::new("Dein Konto bei Fairweather hat einen weiteren Zugang")
            .paragraph(format!("Bei deinem Konto bei Fairweather kann man sich ab jetzt {} anmelden.", name(method))),
        Notice::FactorAdded { method, undo: None } => {
            return tell(&Notice::MethodAdded(method.clone()), public_url);
        }
        Notice::FactorAdded { method, undo: Some(secret) } => {
            return Letter::new("Dein Konto bei Fairweather hat einen weiteren Zugang")
                .paragraph(format!(
                    "Bei deinem Konto bei Fairweather kann man sich ab jetzt {} anmelden.",
                    name(method)
                ))
                .paragraph("Warst du es selbst, dann ist nichts zu tun.")
                .link("Warst du es nicht, dann nimm ihn wieder weg", format!("{public_url}/reset#token={secret}"))
                .paragraph(
                    "Der Link gilt einmal und sieben Tage lang: Du wählst ein neues Passwort, was dazugekommen ist, wird \
                     entfernt, und alle Geräte werden abgemeldet.",
                );
        }
        Notice::MethodRemoved(method) => Letter::new("Dein Konto bei Fairweather hat einen Zugang weniger").paragraph(
            format!("Bei deinem Konto bei Fairweather kann man sich nicht mehr {} anmelden.", name(method)),
        ),
        Notice::EmailChangeBegun => Letter::new("Deine Adresse bei Fairweather soll sich ändern").paragraph(
            "Jemand, der bei deinem Konto bei Fairweather angemeldet ist, will ihm eine andere E-Mail-Adresse geben. \
             Das geschieht, sobald es bestätigt ist.",
        ),
        Notice::EmailChanged => Letter::new("Deine Adresse bei Fairweather wurde geändert")
            .paragraph("Dein Konto bei Fairweather hat ab jetzt eine andere E-Mail-Adresse."),
        Notice::RefreshTokenReused => {
            Letter::new("Ein Gerät wurde von deinem Konto bei Fairweather abgemeldet").paragraph(
                "Ein Schlüssel eines deiner Geräte wurde ein zweites Mal verwendet, wie es geschieht, wenn ihn jemand \
                 kopiert hat. Vorsichtshalber wurde dieses Gerät abgemeldet. Melde dich dort wieder an.",
            )
        }
        Notice::RecoveryCodesMade => Letter::new("Neue Notfallcodes für dein Konto bei Fairweather").paragraph(
            "Für dein Konto bei Fairweather wurden neue Notfallcodes erstellt. Die alten gelten nicht mehr.",
        ),
        Notice::RecoveryCodeUsed => {
            Letter::new("Ein Notfallcode deines Kontos bei Fairweather wurde benutzt").paragraph(
                "Jemand hat sich mit einem der Notfallcodes bei deinem Konto bei Fairweather angemeldet. Dieser Code gilt \
                 nicht mehr.",
            )
        }
        Notice::AccountDeleted => {
            return Letter::new("Dein Konto bei Fairweather wurde gelöscht").paragraph(
                "Dein Konto bei Fairweather wurde mit allem, was darin war, gelöscht. Das ist die letzte Mail dazu.",
            );
        }
    };
    letter.paragraph("Warst du es selbst, ist nichts zu tun.").link(
        "Wenn nicht, setze dein Passwort zurück und sieh deine Geräte durch",
        format!("{public_url}/forgot"),
    )
}

fn name(method: &Method) -> String {
    match method {
        Method::Password => String::from("mit einem Passwort"),
        Method::Passkey => String::from("mit einem Passkey"),
        Method::AuthenticatorApp => String::from("mit Codes einer Authenticator-App"),
        Method::Provider(provider) => format!("mit {provider}"),
    }
}
