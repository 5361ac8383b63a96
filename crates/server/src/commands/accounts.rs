//! `accounts`.

use app::App;
use app::audit::{Actor, Question};
use clap::Subcommand;
use domain::account::Role;
use domain::{AccountId, Error, Result};

use super::print;
use crate::start::{Setup, open};

#[derive(Subcommand)]
pub enum Command {
    /// List accounts: id, kind or e-mail, roles, made, last seen
    List,
    /// Give a role, operator or analyst, to an account with a second factor
    #[command(after_help = "Example: fairweather accounts grant ann@example.org operator")]
    Grant { email: String, role: String },
    /// Take a role
    #[command(after_help = "Example: fairweather accounts revoke ann@example.org operator")]
    Revoke { email: String, role: String },
    /// Take all second factors from an account whose holder has lost them, and its roles
    #[command(after_help = "Example: fairweather accounts remove-factors ann@example.org")]
    RemoveFactors { email: String },
    /// End all sessions of an account
    #[command(after_help = "Example: fairweather accounts end-sessions ann@example.org")]
    EndSessions { email: String },
    /// Print what happened to an account, the newest first: when, what, who, network, more
    #[command(after_help = "Example: fairweather accounts audit ann@example.org")]
    Audit { email: String },
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
            let role = parse(&role)?;
            let account = app.account_of(&email).await.map_err(|e| known(e, &email))?;
            let roles = app.set_role(account, role, true, Actor::CommandLine).await?;
            print(&format!("{email} is now {roles}; existing sessions have ended\n"))
        }
        Command::Revoke { email, role } => {
            let role = parse(&role)?;
            let account = app.account_of(&email).await.map_err(|e| known(e, &email))?;
            let roles = app.set_role(account, role, false, Actor::CommandLine).await?;
            print(&format!("{email} is now {roles}; existing sessions have ended\n"))
        }
        Command::RemoveFactors { email } => {
            let account = app.account_of(&email).await.map_err(|e| known(e, &email))?;
            let roles = app.remove_factors(account, Actor::CommandLine).await?;
            print(&format!("{email} has no second factor and is now {roles}; existing sessions have ended\n"))
        }
        Command::EndSessions { email } => {
            let account = app.account_of(&email).await.map_err(|e| known(e, &email))?;
            let ended = app.end_sessions(account, Actor::CommandLine).await?;
            print(&format!("{ended} sessions of {email} have ended\n"))
        }
        Command::Audit { email } => {
            let account = app.account_of(&email).await.map_err(|e| known(e, &email))?;
            audit(&app, account).await
        }
    }
}

async fn audit(app: &App, account: AccountId) -> Result<()> {
    let mut after = None;
    loop {
        let question = Question { account: Some(account), after, ..Question::default() };
        let page = app.audit_page(question).await?;
        for line in page.lines {
            let actor = match line.actor_id {
                Some(id) => format!("{} {id}", line.actor),
                None => line.actor,
            };
            let network = line.network.unwrap_or_else(|| String::from("-"));
            let item = line.item.map(|item| item.to_string());
            let times = (line.times > 1).then(|| format!("{} times", line.times));
            let more: Vec<_> = [line.word, item, times].into_iter().flatten().collect();
            let at = line.at.rfc3339();
            print(&format!("{at}\t{}\t{actor}\t{network}\t{}\n", line.event, more.join(" ")))?;
        }
        after = page.next;
        if after.is_none() {
            return Ok(());
        }
    }
}

fn parse(role: &str) -> Result<Role> {
    match Role::parse(role) {
        Some(Role::User) | None => Err(Error::internal("the role must be operator or analyst")),
        Some(role) => Ok(role),
    }
}
