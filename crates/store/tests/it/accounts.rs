//! Accounts, the directory of e-mails, and what is left of an account that was removed: nothing.

use std::time::Duration;

use domain::{AccountId, IdentityId, PasskeyId};
use store::challenges::Challenge;
use store::receipts::Receipt;
use store::tickets::Ticket;
use store::{
    Error, accounts, challenges, email_changes, identities, passkeys, password_resets, receipts,
    recovery_codes, sessions, tickets, totp,
};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::changes::{add, change};
use crate::test_store::{NOW, TestStore};

stamp! {
    both: [
        what_is_set_is_read_back,
        an_account_cannot_be_made_twice,
        of_two_that_claim_an_email_one_gets_it,
        pages_go_through_all_accounts,
        only_unused_anonymous_accounts_are_forgotten,
        a_removed_account_leaves_no_row,
        a_write_beside_a_removal_leaves_no_row,
    ]
}

async fn what_is_set_is_read_back(store: TestStore) {
    let (account, nobody) = (store.account().await, store.account_id());
    let read = async |id| store.read(async move |db| accounts::get(db, id).await).await.unwrap();
    assert_eq!(read(nobody).await, None);
    let mut expected = accounts::Stored {
        id: account,
        data_key: b"data key".to_vec(),
        email: None,
        password: None,
        preferences: None,
        roles: String::from("user"),
        created_at: NOW,
        identities: 0,
    };
    assert_eq!(read(account).await, Some(expected.clone()));
    assert!(expected.is_anonymous());
    let write = store.write(async move |tx| {
        accounts::set_login(tx, account, b"email", b"first").await?;
        accounts::set_password(tx, account, b"second").await?;
        accounts::set_preferences(tx, account, b"celsius").await?;
        accounts::count_identities(tx, account, 3).await?;
        accounts::count_identities(tx, account, -1).await?;
        accounts::set_roles(tx, account, "user operator").await
    });
    write.await.unwrap();
    expected.email = Some(b"email".to_vec());
    expected.password = Some(b"second".to_vec());
    expected.preferences = Some(b"celsius".to_vec());
    expected.roles = String::from("user operator");
    expected.identities = 2;
    assert!(!expected.is_anonymous());
    assert_eq!(read(account).await, Some(expected));
    let key = async |id| store.read(async move |db| accounts::data_key(db, id).await).await.unwrap();
    assert_eq!((key(account).await, key(nobody).await), (Some(b"data key".to_vec()), None));
}

async fn an_account_cannot_be_made_twice(store: TestStore) {
    let account = store.account().await;
    let again = store.write(async move |tx| accounts::insert(tx, account, b"other", "operator", NOW).await);
    assert!(matches!(again.await, Err(Error::Conflict(name)) if name == "account(account_id)"));
    let stored = store.read(async move |db| accounts::get(db, account).await).await.unwrap().unwrap();
    assert_eq!((stored.data_key.as_slice(), stored.roles.as_str()), (&b"data key"[..], "user"));
}

async fn of_two_that_claim_an_email_one_gets_it(store: TestStore) {
    let mut claims = JoinSet::new();
    for _ in 0..8 {
        let store = store.clone();
        claims.spawn(async move {
            let id = store.account().await;
            let write = store.write(async move |tx| accounts::claim_email(tx, b"tag", id).await);
            write.await.unwrap().then_some(id)
        });
    }
    let winners: Vec<_> = claims.join_all().await.into_iter().flatten().collect();
    assert_eq!(winners.len(), 1);
    let found = store.read(async |db| accounts::find_by_email(db, b"tag").await).await.unwrap();
    assert_eq!(found, Some(winners[0]));
}

async fn pages_go_through_all_accounts(store: TestStore) {
    let mut made = Vec::new();
    for _ in 0..7 {
        made.push(store.account().await);
    }
    made.sort();
    let mut found = Vec::new();
    let mut after = AccountId::from_uuid(Uuid::nil());
    loop {
        let page = store.read(async move |db| accounts::page(db, after, 3).await).await.unwrap();
        let Some(end) = page.last() else { break };
        after = end.id;
        found.extend(page.iter().map(|listed| listed.id));
    }
    assert_eq!(found, made);
}

async fn only_unused_anonymous_accounts_are_forgotten(store: TestStore) {
    let later = NOW.plus(Duration::from_secs(10));
    let (unused, used, known) = (store.account().await, store.account().await, store.account().await);
    let linked = store.account().await;
    let write = store.write(async move |tx| {
        accounts::touch(tx, used, later).await?;
        accounts::count_identities(tx, linked, 1).await?;
        accounts::set_login(tx, known, b"email", b"password").await
    });
    write.await.unwrap();
    let forgotten =
        async |before| store.read(async move |db| accounts::forgotten(db, before, 10).await).await.unwrap();
    assert_eq!(forgotten(NOW).await, [], "used at this moment is not before it");
    assert_eq!(forgotten(later).await, [unused]);
    let mut all = forgotten(later.plus(Duration::from_millis(1))).await;
    all.sort();
    assert_eq!(all, [unused.min(used), unused.max(used)]);
}

/// Gives an account at least one row in each table that names accounts.
async fn furnish(store: &TestStore, account: AccountId) {
    let (session, id, gone) = (store.session_id(), store.favourite_id(), store.favourite_id());
    let name = account.to_string();
    let write = store.write(async move |tx| {
        accounts::claim_email(tx, name.as_bytes(), account).await?;
        accounts::set_login(tx, account, b"email", b"password").await?;
        let (state, expires_at) = (&b"state"[..], NOW.plus(Duration::from_secs(60)));
        let new = sessions::New { account, session, state, device: Some(b"phone"), now: NOW, expires_at };
        sessions::insert(tx, new).await?;
        sessions::put_cookie(tx, name.as_bytes(), account, session).await?;
        let receipt =
            Receipt { digest: vec![1], status: 201, rev: 1, item_id: Some(id.uuid()), answer: None };
        receipts::put(tx, account, "mid", &receipt, expires_at).await?;
        let ticket = Ticket { account, session, state: vec![1] };
        tickets::draw(tx, name.as_bytes(), &ticket, expires_at, NOW).await?;
        let identity = IdentityId::from_uuid(id.uuid());
        identities::claim(tx, name.as_bytes(), account, identity).await?;
        identities::insert(tx, account, identity, b"sealed", NOW).await?;
        totp::offer(tx, account, b"secret", expires_at).await?;
        recovery_codes::replace(tx, account, &[[1; 32]]).await?;
        let passkey = passkeys::Stored {
            id: PasskeyId::from_uuid(id.uuid()),
            sealed: vec![1],
            created_at: NOW,
            used_at: NOW,
        };
        passkeys::insert(tx, account, name.as_bytes(), &passkey, 0).await?;
        let challenge = Challenge { account, state: vec![1] };
        challenges::draw(tx, name.as_bytes(), &challenge, expires_at, NOW).await?;
        password_resets::put(tx, name.as_bytes(), account, expires_at, None).await?;
        email_changes::put(tx, account, b"sealed", expires_at).await?;
        add(tx, account, gone, "a0").await?;
        change(tx, account, gone, None).await?;
        add(tx, account, id, "a0").await
    });
    write.await.unwrap();
}

/// Rows of the account in every table that the schema says can hold some.
async fn holdings(store: &TestStore, account: AccountId) -> Vec<(String, i64)> {
    let mut found = Vec::new();
    for table in store.database.tables(Some("account_id")).await {
        let rows = store.rows(&table, account).await;
        found.push((table, rows));
    }
    found
}

async fn a_removed_account_leaves_no_row(store: TestStore) {
    let (removed, kept) = (store.account().await, store.account().await);
    furnish(&store, removed).await;
    furnish(&store, kept).await;
    let (before, others) = (holdings(&store, removed).await, holdings(&store, kept).await);
    let empty: Vec<_> = before.iter().filter(|(_, rows)| *rows == 0).collect();
    assert!(empty.is_empty() && before.len() >= 7, "this test must give the account a row in {empty:?}");

    let ended = store.write(async move |tx| accounts::delete(tx, removed, NOW).await).await.unwrap();
    assert_eq!(ended.len(), 1);
    for (table, rows) in holdings(&store, removed).await {
        assert_eq!(rows, 0, "{table} still has rows of the removed account");
    }
    assert_eq!(holdings(&store, kept).await, others, "nobody else lost a row");
    let revoked = store.read(async |db| sessions::revoked_since(db, NOW).await).await.unwrap();
    assert_eq!(revoked, [(ended[0], NOW)]);
    let again = store.write(async move |tx| accounts::delete(tx, removed, NOW).await).await.unwrap();
    assert_eq!(again, []);
}

async fn a_write_beside_a_removal_leaves_no_row(store: TestStore) {
    for _ in 0..20 {
        let account = store.account().await;
        let mut writers = JoinSet::new();
        for n in 0..6 {
            let store = store.clone();
            writers.spawn(async move {
                if n == 3 {
                    let write = store.write(async move |tx| accounts::delete(tx, account, NOW).await);
                    return write.await.map(drop);
                }
                for _ in 0..4 {
                    let id = store.favourite_id();
                    store.write(async move |tx| add(tx, account, id, "a0").await).await?;
                }
                Ok(())
            });
        }
        for outcome in writers.join_all().await {
            assert!(matches!(outcome, Ok(()) | Err(Error::Domain(domain::Error::NotFound))), "{outcome:?}");
        }
        let left: Vec<_> =
            holdings(&store, account).await.into_iter().filter(|(_, rows)| *rows > 0).collect();
        assert_eq!(left, [], "written behind the removal");
    }
}
