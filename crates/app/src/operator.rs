//! Who may run the installation: operators, and services with a key for it.

use domain::Result;
use domain::account::Role;
use domain::api_key::Scope;

use crate::App;
use crate::audit::{Actor, By};
use crate::caller::{Caller, Principal};

impl App {
    /// Lets operators pass. For everybody else there is nothing here.
    pub(crate) fn require_operator(&self, caller: &Caller) -> Result<()> {
        caller.require_role(Role::Operator)
    }

    /// The same, with a proof from the last five minutes.
    pub(crate) async fn require_fresh_operator(&self, caller: &Caller) -> Result<By> {
        self.require_operator(caller)?;
        self.require_step_up(caller).await?;
        Ok(self.by(Actor::Operator(caller.account), caller.network))
    }

    /// Lets operators pass, and keys with this scope.
    pub(crate) fn authorise(&self, principal: &Principal, scope: Scope) -> Result<()> {
        match principal {
            Principal::Caller(caller) => self.require_operator(caller),
            Principal::Service(service) => service.scopes.require(scope),
        }
    }

    /// The same for what is costly to undo: from operators it asks a fresh proof.
    pub(crate) async fn authorise_change(&self, principal: &Principal, scope: Scope) -> Result<By> {
        match principal {
            Principal::Caller(caller) => self.require_fresh_operator(caller).await,
            Principal::Service(service) => {
                service.scopes.require(scope)?;
                Ok(self.by(Actor::ApiKey(service.key), service.network))
            }
        }
    }
}
