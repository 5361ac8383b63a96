//! Mail in English.

use super::letter::Letter;
use super::{Method, Notice, Template};

pub fn write(template: &Template<'_>, public_url: &str) -> Letter {
    match template {
        Template::Confirmation { code } => Letter::new(format!("{code} is your Fairweather code"))
            .paragraph("Somebody, hopefully you, wants to use this address with Fairweather.")
            .paragraph("Type this code where you signed up:")
            .code(*code)
            .link("Or open this link in the same browser", format!("{public_url}/confirm#code={code}"))
            .paragraph(
                "The code works for 30 minutes. If this was not you, ignore this mail: nothing happens without the code.",
            ),
        Template::AlreadyRegistered => Letter::new("You already have a Fairweather account")
            .paragraph("Somebody, hopefully you, tried to sign up with this address, which has an account already.")
            .link("Sign in instead", format!("{public_url}/"))
            .paragraph("If this was not you, ignore this mail: nothing was changed."),
        Template::PasswordReset { secret } => Letter::new("Reset your Fairweather password")
            .paragraph("Somebody, hopefully you, has forgotten the password of your Fairweather account.")
            .link("Choose a new one", format!("{public_url}/reset#token={secret}"))
            .paragraph(
                "The link works once, for 30 minutes. If this was not you, ignore this mail: nothing was changed.",
            ),
        Template::NoAccount => Letter::new("There is no Fairweather account with this address")
            .paragraph(
                "Somebody, hopefully you, wanted to reset the password of a Fairweather account with this address. \
                 There is none: perhaps you used another address, or another way to sign in.",
            )
            .link("Sign in or sign up", format!("{public_url}/"))
            .paragraph("If this was not you, ignore this mail."),
        Template::EmailChangeTo { code } => Letter::new(format!("{code} is your Fairweather code"))
            .paragraph("Somebody, hopefully you, wants to use this address for their Fairweather account.")
            .paragraph("Type this code where you are signed in:")
            .code(*code)
            .paragraph(
                "The code works for 24 hours. If this was not you, ignore this mail: nothing happens without the code.",
            ),
        Template::EmailChangeFrom { code } => Letter::new(format!("{code} lets your Fairweather address change"))
            .paragraph("Somebody, hopefully you, wants your Fairweather account to have another e-mail address.")
            .paragraph("If it was you, type this code where you are signed in:")
            .code(*code)
            .paragraph("The code works for 24 hours. Never tell it to anybody.")
            .link(
                "If it was not you, somebody else is signed in to your account: reset your password",
                format!("{public_url}/forgot"),
            ),
        Template::EmailTaken => Letter::new("This address has a Fairweather account already")
            .paragraph(
                "Somebody, hopefully you, wanted to use this address for another Fairweather account. It has one \
                 already, so that is not possible.",
            )
            .link("Sign in to the one that it has", format!("{public_url}/"))
            .paragraph("If this was not you, ignore this mail: nothing was changed."),
        Template::Notice(notice) => tell(notice, public_url),
    }
}

fn tell(notice: &Notice, public_url: &str) -> Letter {
    let letter = match notice {
        Notice::PasswordChanged => Letter::new("Your Fairweather password was changed")
            .paragraph("The password of your Fairweather account was changed. All other devices were signed out."),
        Notice::PasswordReset { others, second_factor } => {
            let mut letter = Letter::new("Your Fairweather password was reset").paragraph(
                "The password of your Fairweather account was reset with a mailed link. All devices were signed out.",
            );
            if *second_factor {
                letter = letter.paragraph(
                    "It asks for a second factor when you sign in. If that is not yours, use the link in the mail that \
                     told you of it.",
                );
            }
            if *others {
                letter.paragraph(
                    "There are other ways to sign in to it, too, such as a provider or a passkey. Look at them and \
                     remove those that are not yours.",
                )
            } else {
                letter
            }
        }
        Notice::MethodAdded(method) => Letter::new("A way to sign in was added to your Fairweather account")
            .paragraph(format!("From now on your Fairweather account can be signed in to with {}.", name(method))),
        Notice::FactorAdded { method, undo: None } => {
            return tell(&Notice::MethodAdded(method.clone()), public_url);
        }
        Notice::FactorAdded { method, undo: Some(secret) } => {
            return Letter::new("A way to sign in was added to your Fairweather account")
                .paragraph(format!("From now on your Fairweather account can be signed in to with {}.", name(method)))
                .paragraph("If this was you, there is nothing to do.")
                .link("If it was not, take it away again", format!("{public_url}/reset#token={secret}"))
                .paragraph(
                    "The link works once, for seven days: you choose a new password, what was added is taken away, and \
                     all devices are signed out.",
                );
        }
        Notice::MethodRemoved(method) => {
            Letter::new("A way to sign in was removed from your Fairweather account").paragraph(format!(
                "Your Fairweather account can no longer be signed in to with {}.",
                name(method)
            ))
        }
        Notice::EmailChangeBegun => Letter::new("Your Fairweather address is about to change").paragraph(
            "Somebody who is signed in to your Fairweather account wants it to have another e-mail address. \
             That happens as soon as it is confirmed.",
        ),
        Notice::EmailChanged => Letter::new("Your Fairweather address was changed")
            .paragraph("Your Fairweather account has another e-mail address from now on."),
        Notice::RefreshTokenReused => Letter::new("A device was signed out of your Fairweather account").paragraph(
            "A key of one of your devices was used a second time, as happens when somebody has copied it. To be on \
             the safe side that device was signed out. Sign in there again.",
        ),
        Notice::RecoveryCodesMade => Letter::new("New recovery codes for your Fairweather account")
            .paragraph("New recovery codes were made for your Fairweather account. Older ones work no more."),
        Notice::RecoveryCodeUsed => Letter::new("A recovery code of your Fairweather account was used").paragraph(
            "Somebody signed in to your Fairweather account with one of its recovery codes. That code works no more.",
        ),
        Notice::AccountDeleted => {
            return Letter::new("Your Fairweather account was deleted").paragraph(
                "Your Fairweather account and everything in it was deleted. This is the last mail about it.",
            );
        }
    };
    letter
        .paragraph("If this was you, there is nothing to do.")
        .link("If it was not, reset your password and look at your devices", format!("{public_url}/forgot"))
}

fn name(method: &Method) -> String {
    match method {
        Method::Password => String::from("a password"),
        Method::Passkey => String::from("a passkey"),
        Method::AuthenticatorApp => String::from("codes of an authenticator app"),
        Method::Provider(provider) => provider.clone(),
    }
}
