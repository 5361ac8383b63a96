//! Second factors, passkeys and challenges: what is good once is taken once.

use std::time::Duration;

use domain::{AccountId, PasskeyId, Timestamp};
use store::challenges::{self, Challenge};
use store::{passkeys, recovery_codes, totp};
use uuid::Uuid;

use crate::test_store::TestStore;

stamp! {
    both: [
        a_step_is_taken_once_and_never_an_earlier_one,
        an_app_counts_from_its_first_code_on,
        a_recovery_code_is_taken_once_by_its_account,
        the_count_of_a_passkey_never_falls,
        a_credential_leads_to_one_account,
        a_challenge_is_taken_once_and_in_time,
    ]
}

const NOW: Timestamp = Timestamp::from_seconds(1_795_255_200);

fn account(number: u128) -> AccountId {
    AccountId::from_uuid(Uuid::from_u128(number))
}

fn passkey(number: u128) -> passkeys::Stored {
    let id = PasskeyId::from_uuid(Uuid::from_u128(number));
    passkeys::Stored { id, sealed: vec![1], created_at: NOW, used_at: NOW }
}

async fn a_step_is_taken_once_and_never_an_earlier_one(store: TestStore) {
    let taken = store
        .write(async |tx| {
            let ann = account(1);
            totp::offer(tx, ann, b"secret", NOW).await?;
            let mut taken = vec![totp::take(tx, ann, 5).await?];
            assert!(totp::confirm(tx, ann, b"sealed", 7, NOW).await?);
            for step in [7, 6, 8, 8, 9] {
                taken.push(totp::take(tx, ann, step).await?);
            }
            taken.push(totp::take(tx, account(2), 9).await?);
            Ok(taken)
        })
        .await
        .unwrap();
    assert_eq!(taken, [false, false, false, true, false, true, false]);
}

async fn an_app_counts_from_its_first_code_on(store: TestStore) {
    let (ann, until) = (account(1), NOW.plus(Duration::from_secs(600)));
    store
        .write(async move |tx| {
            assert_eq!(totp::get(tx, ann).await?, None);
            assert!(!totp::confirm(tx, ann, b"x", 1, NOW).await?);
            totp::offer(tx, ann, b"one", until).await?;
            totp::offer(tx, ann, b"two", until).await?;
            let stored = totp::get(tx, ann).await?.unwrap();
            assert_eq!((stored.sealed, stored.pending.as_deref()), (None, Some(&b"two"[..])));
            assert!(totp::confirm(tx, ann, b"sealed", 3, NOW).await?);
            assert!(!totp::confirm(tx, ann, b"again", 4, NOW).await?);
            // A new one is offered beside it.
            totp::offer(tx, ann, b"three", until).await?;
            let stored = totp::get(tx, ann).await?.unwrap();
            assert_eq!(stored.sealed.as_deref(), Some(&b"sealed"[..]));
            assert_eq!((stored.confirmed_at, stored.pending_until), (NOW, until));
            assert!(!totp::take(tx, ann, 3).await?);
            assert!(totp::delete(tx, ann).await?);
            assert!(!totp::delete(tx, ann).await?);
            Ok(())
        })
        .await
        .unwrap();
}

async fn a_recovery_code_is_taken_once_by_its_account(store: TestStore) {
    store
        .write(async |tx| {
            recovery_codes::replace(tx, account(1), &[[1; 32], [2; 32]]).await?;
            recovery_codes::replace(tx, account(2), &[[3; 32]]).await?;
            assert!(!recovery_codes::take(tx, account(2), &[1; 32]).await?);
            assert!(recovery_codes::take(tx, account(1), &[1; 32]).await?);
            assert!(!recovery_codes::take(tx, account(1), &[1; 32]).await?);
            assert_eq!(recovery_codes::count(tx, account(1)).await?, 1);
            recovery_codes::replace(tx, account(1), &[[4; 32]]).await?;
            assert!(!recovery_codes::take(tx, account(1), &[2; 32]).await?);
            assert_eq!(recovery_codes::count(tx, account(2)).await?, 1);
            Ok(())
        })
        .await
        .unwrap();
}

async fn the_count_of_a_passkey_never_falls(store: TestStore) {
    let (ann, counting, silent) = (account(1), passkey(1), passkey(2));
    store
        .write(async move |tx| {
            assert!(passkeys::insert(tx, ann, b"counting", &counting, 5).await?);
            assert!(passkeys::insert(tx, ann, b"silent", &silent, 0).await?);
            for (counter, counts) in
                [(6, true), (6, false), (5, false), (0, false), (u32::MAX, true), (7, false)]
            {
                assert_eq!(
                    passkeys::note_use(tx, ann, counting.id, counter, NOW).await?,
                    counts,
                    "{counter}"
                );
            }
            for (counter, counts) in [(0, true), (0, true), (1, true), (0, false)] {
                assert_eq!(passkeys::note_use(tx, ann, silent.id, counter, NOW).await?, counts, "{counter}");
            }
            assert!(!passkeys::note_use(tx, account(2), silent.id, 9, NOW).await?);
            Ok(())
        })
        .await
        .unwrap();
}

async fn a_credential_leads_to_one_account(store: TestStore) {
    let (ann, bob, one, two) = (account(1), account(2), passkey(1), passkey(2));
    store
        .write(async move |tx| {
            assert!(passkeys::insert(tx, ann, b"tag", &one, 0).await?);
            assert!(!passkeys::insert(tx, bob, b"tag", &two, 0).await?);
            assert_eq!(passkeys::find(tx, b"tag").await?, Some((ann, one.id)));
            assert_eq!(passkeys::find(tx, b"other").await?, None);
            assert_eq!(passkeys::get(tx, bob, one.id).await?, None);
            assert_eq!(passkeys::of_account(tx, ann).await?, std::slice::from_ref(&one));
            assert_eq!(passkeys::of_account(tx, bob).await?, []);
            passkeys::reseal(tx, bob, one.id, b"not his").await?;
            passkeys::reseal(tx, ann, one.id, b"new").await?;
            assert_eq!(passkeys::get(tx, ann, one.id).await?.unwrap().sealed, b"new");
            assert!(!passkeys::delete(tx, bob, one.id).await?);
            assert!(passkeys::delete(tx, ann, one.id).await?);
            assert_eq!(passkeys::find(tx, b"tag").await?, None);
            assert!(passkeys::insert(tx, bob, b"tag", &two, 0).await?);
            Ok(())
        })
        .await
        .unwrap();
}

async fn a_challenge_is_taken_once_and_in_time(store: TestStore) {
    let until = NOW.plus(Duration::from_secs(300));
    let challenge = Challenge { account: account(1), state: b"{}".to_vec() };
    store
        .write(async move |tx| {
            for hash in [b"one", b"two"] {
                challenges::draw(tx, hash, &challenge, until, NOW).await?;
            }
            assert_eq!(challenges::get(tx, b"one", NOW).await?.as_ref(), Some(&challenge));
            assert_eq!(challenges::get(tx, b"one", until).await?, None);
            assert_eq!(challenges::try_once(tx, b"one").await?, Some(1));
            assert_eq!(challenges::try_once(tx, b"one").await?, Some(2));
            assert_eq!(challenges::take(tx, b"one", until).await?, None);
            assert_eq!(challenges::take(tx, b"one", NOW).await?, Some(challenge.clone()));
            assert_eq!(challenges::take(tx, b"one", NOW).await?, None);
            assert_eq!(challenges::try_once(tx, b"one").await?, None);
            // Drawing another removes what is old of the same account.
            challenges::draw(tx, b"three", &challenge, until.plus(Duration::from_secs(1)), until).await?;
            assert_eq!(challenges::get(tx, b"two", NOW).await?, None);
            assert_eq!(challenges::expire(tx, until).await?, 0);
            challenges::delete_all(tx, account(1)).await?;
            assert_eq!(challenges::get(tx, b"three", NOW).await?, None);
            Ok(())
        })
        .await
        .unwrap();
}
