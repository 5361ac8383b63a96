//! `accounts`.

use clap::Subcommand;
use domain::account::Role;
use domain::{Error, Result};

use super::print;
use crate::start::{Setup, open};

#[derive(Subcommand)]
pub enum Command {
    /// List accounts: id, kind or e-mail, roles, made, last seen
    List,
    /// Give a role: operator or analyst
    #[command(after_help = "Example: fairweather accounts grant ann@example.org operator")]
    Grant { email: String, role: String },
    /// Take a role
    #[command(after_help = "Example: fairweather accounts revoke ann@example.org operator")]
    Revoke { email: String, role: String },
    /// End all sessions of an account
    #[command(after_help = "Example: fairweather accounts end-sessions ann@example.org")]
    EndSessions { email: String },
}

pub async fn run(setup: Setup, command: Command) -> Result<()> {
    let (app, _lock) = open(&setup).await?;
    let known = |error, email: &str| match error {
        Error::NotFound => Error::internal(format!("there is no account with the address {email}")),
        other => other,
    };
    match command {
        Command::List => {
            let mut after = None;
            loop {
                let page = app.list_accounts(after).await?;
                for line in &page {
                    let email = line.email.as_deref().unwrap_or("anonymous");
                    let (made, seen) = (line.created_at.rfc3339(), line.seen_at.rfc3339());
                    print(&format!("{}\t{email}\t{}\t{made}\t{seen}\n", line.id, line.roles))?;
                }
                after = page.last().map(|line| line.id);
                if after.is_none() {
                    return Ok(());
                }
            }
        }
        Command::Grant { email, role } => {
            let roles = app.set_role(&email, parse(&role)?, true).await.map_err(|e| known(e, &email))?;
            print(&format!("{email} is now {roles}; existing sessions have ended\n"))
        }
        Command::Revoke { email, role } => {
            let roles = app.set_role(&email, parse(&role)?, false).await.map_err(|e| known(e, &email))?;
            print(&format!("{email} is now {roles}; existing sessions have ended\n"))
        }
        Command::EndSessions { email } => {
            let ended = app.end_sessions(&email).await.map_err(|e| known(e, &email))?;
            print(&format!("{ended} sessions of {email} have ended\n"))
        }
    }
}

fn parse(role: &str) -> Result<Role> {
    match Role::parse(role) {
        Some(Role::User) | None => Err(Error::internal("the role must be operator or analyst")),
        Some(role) => Ok(role),
    }
}
