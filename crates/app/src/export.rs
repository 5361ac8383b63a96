//! All that is kept of an account, in one archive for its owner: JSON to read by programs, GeoJSON to open on a map.

use std::io::{Cursor, Write};

use domain::favourite::Favourite;
use domain::session::Proof;
use domain::{AccountId, Error, Result, Timestamp};
use serde_json::{Map, Value, json};
use store::favourites;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::App;
use crate::api_keys::Listed;
use crate::audit::{Entry, Event, Line, Question};
use crate::caller::{Caller, Client};
use crate::email_change::PendingEmail;
use crate::factors::Factors;
use crate::favourites::open;
use crate::identities::Identity;
use crate::me::Me;
use crate::passkeys::Passkey;
use crate::sessions::Session;

/// An archive and the name under which to keep it.
pub struct Export {
    pub name: String,
    pub archive: Vec<u8>,
}

/// Lines of the log read at once.
const LINES: u32 = 500;
/// Sessions read at once.
const SESSIONS: u32 = 200;

impl App {
    /// Everything about the caller. Nothing is kept of the archive here, so there is nothing to steal from a link.
    pub async fn export(&self, caller: &Caller, client: &Client) -> Result<Export> {
        self.require_step_up(caller).await?;
        self.limit_mutations(caller.account, 1)?;
        let (account, now) = (caller.account, self.now());
        let mut kept = account_file(&self.me(caller).await?, now);
        let identities = self.list_identities(caller).await?;
        kept.insert("identities", identities.iter().map(identity).collect());
        let pending = self.email_address(caller).await?.pending;
        kept.insert("pending_email", pending.map(|pending| pending_email(&pending)).into());
        kept.insert("sessions", self.exported_sessions(caller).await?.into());
        kept.insert("passkeys", self.list_passkeys(caller).await?.iter().map(passkey).collect());
        let factors = self.list_factors(caller).await?;
        kept.insert("second_factors", second_factors(&factors));
        kept.insert("api_keys", self.own_api_keys(caller).await?.iter().map(api_key).collect());
        let account_json = self.with_log(kept, account).await?;
        let key = self.data_keys.get(account).await?;
        let rows = self.store.read(async move |db| favourites::live(db, account).await).await?;
        let saved =
            rows.into_iter().map(|row| open(&key, account, row)).collect::<store::Result<Vec<_>>>()?;
        let entry =
            Entry::of(account, Event::ExportMade, now).network(Some(self.network_tag(client.network)));
        let random = self.random.clone();
        self.store.write(async move |tx| crate::audit::record(tx, &random, &entry).await).await?;
        let favourites = json!({ "favourites": saved.iter().map(as_json).collect::<Vec<_>>() });
        let files = [
            ("account.json", account_json),
            ("favourites.json", pretty(&favourites)?),
            ("favourites.geojson", pretty(&as_geojson(&saved))?),
        ];
        let archive =
            tokio::task::spawn_blocking(move || packed(&files)).await.map_err(Error::internal)??;
        Ok(Export { name: name(account, now), archive })
    }

    async fn exported_sessions(&self, caller: &Caller) -> Result<Vec<Value>> {
        let (mut sessions, mut after) = (Vec::new(), None);
        loop {
            let page = self.list_sessions(caller, after, Some(SESSIONS)).await?;
            sessions.extend(page.sessions.iter().map(session));
            after = page.next;
            if after.is_none() {
                return Ok(sessions);
            }
        }
    }

    /// The account's file with all lines of the log, the newest first. They are written page by page: there may be
    /// thousands.
    async fn with_log(&self, kept: Kept, account: AccountId) -> Result<Vec<u8>> {
        let mut text = pretty(&Value::Object(kept.0))?;
        // The closing brace comes behind the log.
        text.truncate(text.trim_ascii_end().len().saturating_sub(1));
        text.truncate(text.trim_ascii_end().len());
        text.extend(b",\n  \"log\": [");
        let (mut after, mut between) = (None, "\n    ");
        loop {
            let question = Question { account: Some(account), event: None, after, limit: Some(LINES) };
            let page = self.audit_page(question).await?;
            for one in &page.lines {
                text.extend(between.as_bytes());
                serde_json::to_writer(&mut text, &line(one)).map_err(Error::internal)?;
                between = ",\n    ";
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        text.extend(b"\n  ]\n}\n");
        Ok(text)
    }
}

fn name(account: AccountId, now: Timestamp) -> String {
    let day: String = now.rfc3339().chars().take(10).collect();
    let short: String = account.uuid().simple().to_string().chars().rev().take(6).collect();
    format!("fairweather-{day}-{short}.zip")
}

/// What goes into `account.json`, beside the log.
struct Kept(Map<String, Value>);

impl Kept {
    fn insert(&mut self, name: &str, value: Value) {
        self.0.insert(name.to_owned(), value);
    }
}

fn account_file(me: &Me, now: Timestamp) -> Kept {
    let mut kept = Kept(Map::new());
    kept.insert("exported_at", now.rfc3339().into());
    kept.insert("account_id", me.account.uuid().to_string().into());
    kept.insert("email", me.email.clone().into());
    kept.insert("roles", me.roles.iter().map(|role| role.name()).collect());
    kept.insert("created_at", me.created_at.rfc3339().into());
    let preferences = json!({
        "units": me.preferences.units.map(|units| units.name().to_owned()),
        "language": me.preferences.language.map(|language| language.tag().to_owned()),
    });
    kept.insert("preferences", preferences);
    kept
}

fn identity(identity: &Identity) -> Value {
    json!({
        "provider": identity.provider,
        "issuer": identity.issuer,
        "subject": identity.subject,
        "email": identity.email,
        "created_at": identity.created_at.rfc3339(),
        "used_at": identity.used_at.rfc3339(),
    })
}

fn pending_email(pending: &PendingEmail) -> Value {
    json!({ "email": pending.email, "expires_at": pending.expires_at.rfc3339() })
}

fn session(session: &Session) -> Value {
    json!({
        "id": session.id.uuid(),
        "device": session.device,
        "kind": session.kind.name(),
        "proofs": session.proofs.iter().map(Proof::name).collect::<Vec<_>>(),
        "created_at": session.created_at.rfc3339(),
        "seen_at": session.seen_at.rfc3339(),
        "ends_at": session.ends_at.rfc3339(),
    })
}

fn passkey(passkey: &Passkey) -> Value {
    json!({
        "name": passkey.name,
        "backed_up": passkey.is_backed_up,
        "created_at": passkey.created_at.rfc3339(),
        "used_at": passkey.used_at.rfc3339(),
    })
}

fn second_factors(factors: &Factors) -> Value {
    json!({
        "totp_since": factors.totp.map(|since| since.rfc3339()),
        "passkeys": factors.passkeys,
        "recovery_codes_left": factors.recovery_codes,
    })
}

fn api_key(key: &Listed) -> Value {
    json!({
        "id": key.id,
        "name": key.name,
        "scopes": key.scopes.to_string(),
        "created_at": key.created_at.rfc3339(),
        "expires_at": key.expires_at.map(|at| at.rfc3339()),
        "used_at": key.used_at.map(|at| at.rfc3339()),
    })
}

fn line(line: &Line) -> Value {
    json!({
        "at": line.at.rfc3339(),
        "event": line.event,
        "by": line.actor,
        "word": line.word,
        "item": line.item,
        "times": line.times,
    })
}

fn as_json(favourite: &Favourite) -> Value {
    let content = &favourite.content;
    json!({
        "id": favourite.id.uuid(),
        "name": content.name,
        "note": content.note,
        "lat": content.lat,
        "lon": content.lon,
        "tz": content.tz,
        "place_id": content.place_id,
        "elevation": content.elevation,
        "position": favourite.position.as_str(),
        "updated_at": favourite.updated_at.rfc3339(),
    })
}

/// RFC 7946: longitude first, the height third where it is known.
fn as_geojson(saved: &[Favourite]) -> Value {
    let feature = |favourite: &Favourite| {
        let content = &favourite.content;
        let mut at = vec![json!(content.lon), json!(content.lat)];
        at.extend(content.elevation.map(|metres| json!(metres)));
        json!({
            "type": "Feature",
            "id": favourite.id.uuid(),
            "geometry": { "type": "Point", "coordinates": at },
            "properties": { "name": content.name, "note": content.note, "tz": content.tz },
        })
    };
    json!({ "type": "FeatureCollection", "features": saved.iter().map(feature).collect::<Vec<_>>() })
}

fn pretty(value: &Value) -> Result<Vec<u8>> {
    serde_json::to_vec_pretty(value).map_err(Error::internal)
}

fn packed(files: &[(&str, Vec<u8>)]) -> Result<Vec<u8>> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().unix_permissions(0o600);
    for (name, content) in files {
        archive.start_file(*name, options).map_err(Error::internal)?;
        archive.write_all(content).map_err(Error::internal)?;
    }
    Ok(archive.finish().map_err(Error::internal)?.into_inner())
}
