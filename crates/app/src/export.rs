//! All that is kept of an account, in one archive for its owner: JSON to read by programs, GeoJSON to open on a map.

use std::io::{Cursor, Write};

use domain::email::Email;
use domain::favourite::Favourite;
use domain::{AccountId, Error, Result, Timestamp};
use serde_json::{Value, json};
use store::{accounts, favourites};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::App;
use crate::audit::{Entry, Event, Line, Question};
use crate::caller::{Caller, Client};
use crate::favourites::open;
use crate::identities::Identity;
use crate::me::Me;

/// An archive and the name under which to keep it.
pub struct Export {
    pub name: String,
    pub archive: Vec<u8>,
}

/// Lines of the audit log that go along: those of a year, as far as one page reaches.
const LINES: u32 = 200;

impl App {
    /// Everything about the caller. Nothing is kept of the archive here, so there is nothing to steal from a link.
    pub async fn export(&self, caller: &Caller, client: &Client) -> Result<Export> {
        self.require_step_up(caller).await?;
        self.limit_mutations(caller.account, 1)?;
        let (account, now) = (caller.account, self.now());
        let me = self.me(caller).await?;
        let identities = self.list_identities(caller).await?;
        let key = self.data_keys.get(account).await?;
        let rows = self.store.read(async move |db| favourites::live(db, account).await).await?;
        let saved =
            rows.into_iter().map(|row| open(&key, account, row)).collect::<store::Result<Vec<_>>>()?;
        let question = Question { account: Some(account), event: None, after: None, limit: Some(LINES) };
        let log = self.audit_page(question).await?.lines;
        let entry =
            Entry::of(account, Event::ExportMade, now).network(Some(self.network_tag(client.network)));
        let random = self.random.clone();
        self.store.write(async move |tx| crate::audit::record(tx, &random, &entry).await).await?;
        let files = [
            ("account.json", account_file(&me, &identities, &log, now)),
            ("favourites.json", json!({ "favourites": saved.iter().map(as_json).collect::<Vec<_>>() })),
            ("favourites.geojson", as_geojson(&saved)),
        ];
        let archive =
            tokio::task::spawn_blocking(move || packed(&files)).await.map_err(Error::internal)??;
        Ok(Export { name: name(account, now), archive })
    }
}

impl App {
    /// What an account has typed and saved, for the search for it in clear; of one that is not there, its address.
    pub async fn plain_texts_of(&self, email: &str) -> Result<Vec<String>> {
        let email = Email::parse(email)?;
        let tag = self.index.email(&email);
        let mut texts = vec![email.as_str().to_owned()];
        let found = self
            .store
            .read(async move |db| match accounts::find_by_email(db, &tag).await? {
                Some(account) => Ok(Some((account, favourites::live(db, account).await?))),
                None => Ok(None),
            })
            .await?;
        let Some((account, rows)) = found else { return Ok(texts) };
        let key = self.data_keys.get(account).await?;
        for row in rows {
            let content = open(&key, account, row)?.content;
            texts.extend([content.name, content.lat.to_string(), content.lon.to_string()]);
            texts.extend(content.note);
        }
        Ok(texts)
    }
}

fn name(account: AccountId, now: Timestamp) -> String {
    let day: String = now.rfc3339().chars().take(10).collect();
    let short: String = account.uuid().simple().to_string().chars().rev().take(6).collect();
    format!("fairweather-{day}-{short}.zip")
}

fn account_file(me: &Me, identities: &[Identity], log: &[Line], now: Timestamp) -> Value {
    let identity = |identity: &Identity| {
        json!({
            "provider": identity.provider,
            "email": identity.email,
            "created_at": identity.created_at.rfc3339(),
            "used_at": identity.used_at.rfc3339(),
        })
    };
    let line = |line: &Line| {
        json!({
            "at": line.at.rfc3339(),
            "event": line.event,
            "by": line.actor,
            "word": line.word,
            "item": line.item,
            "times": line.times,
        })
    };
    json!({
        "exported_at": now.rfc3339(),
        "account_id": me.account.uuid(),
        "email": me.email,
        "roles": me.roles.iter().map(|role| role.name()).collect::<Vec<_>>(),
        "created_at": me.created_at.rfc3339(),
        "preferences": {
            "units": me.preferences.units.map(|units| units.name().to_owned()),
            "language": me.preferences.language.map(|language| language.tag().to_owned()),
        },
        "identities": identities.iter().map(identity).collect::<Vec<_>>(),
        "log": log.iter().map(line).collect::<Vec<_>>(),
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

fn packed(files: &[(&str, Value)]) -> Result<Vec<u8>> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().unix_permissions(0o600);
    for (name, content) in files {
        archive.start_file(*name, options).map_err(Error::internal)?;
        let text = serde_json::to_vec_pretty(content).map_err(Error::internal)?;
        archive.write_all(&text).map_err(Error::internal)?;
    }
    Ok(archive.finish().map_err(Error::internal)?.into_inner())
}
