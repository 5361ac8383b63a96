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
    Grant {
        #[arg(value_name = NAMED)]
        account: String,
        role: String,
    },
    /// Take a role
    #[command(after_help = "Example: fairweather accounts revoke ann@example.org operator")]
    Revoke {
        #[arg(value_name = NAMED)]
        account: String,
        role: String,
    },
    /// Take all second factors from an account whose holder has lost them, and its roles
    #[command(after_help = "Example: fairweather accounts remove-factors ann@example.org")]
    RemoveFactors {
        #[arg(value_name = NAMED)]
        account: String,
    },
    /// End all sessions of an account
    #[command(after_help = "Example: fairweather accounts end-sessions ann@example.org")]
    EndSessions {
        #[arg(value_name = NAMED)]
        account: String,
    },
    /// Print what happened to an account, the newest first: when, what, who, network, more
    #[command(after_help = "Example: fairweather accounts audit ann@example.org")]
    Audit {
        #[arg(value_name = NAMED)]
        account: String,
    },
}

/// How an account is named: not every one has an address.
const NAMED: &str = "EMAIL|ID";

pub async fn run(setup: Setup, command: Command) -> Result<()> {
    let (app, _lock) = open(&setup).await?;
    match command {
        Command::List => {
            let mut after = None;
            loop {
                let page = app.list_accounts(after).await?;
                for line in &page {
                    let kind = if line.is_anonymous { "anonymous" } else { "registered" };
                    let named = line.email.as_deref().unwrap_or(kind);
                    let (made, seen) = (line.created_at.rfc3339(), line.seen_at.rfc3339());
                    print(&format!("{}\t{named}\t{}\t{made}\t{seen}\n", line.id, line.roles))?;
                }
                after = page.last().map(|line| line.id);
                if after.is_none() {
                    return Ok(());
                }
            }
        }
        Command::Grant { account, role } => set_role(&app, &account, &role, true).await,
        Command::Revoke { account, role } => set_role(&app, &account, &role, false).await,
        Command::RemoveFactors { account } => {
            let roles = app.remove_factors(find(&app, &account).await?, Actor::CommandLine).await?;
            print(&format!(
                "{account} has no second factor and is now {roles}; existing sessions have ended\n"
            ))
        }
        Command::EndSessions { account } => {
            let ended = app.end_sessions(find(&app, &account).await?, Actor::CommandLine).await?;
            print(&format!("{ended} sessions of {account} have ended\n"))
        }
        Command::Audit { account } => audit(&app, find(&app, &account).await?).await,
    }
}

async fn find(app: &App, named: &str) -> Result<AccountId> {
    app.account_of(named).await.map_err(|error| match error {
        Error::NotFound => Error::internal(format!("there is no account {named}")),
        other => other,
    })
}

async fn set_role(app: &App, named: &str, role: &str, given: bool) -> Result<()> {
    let role = parse(role)?;
    let change = app.set_role(find(app, named).await?, role, given, Actor::CommandLine).await?;
    let (name, roles) = (role.name(), change.roles);
    print(&match (change.is_changed, given) {
        (true, _) => format!("{named} is now {roles}; existing sessions have ended\n"),
        (false, true) => format!("{named} has the role {name} already; nothing has changed\n"),
        (false, false) => format!("{named} does not have the role {name}; nothing has changed\n"),
    })
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
