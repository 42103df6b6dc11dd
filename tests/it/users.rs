//! Users of the console on both engines.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use supercargo::binds;
use supercargo::storage::listing::users::users;
use supercargo::storage::users::Role;
use supercargo::storage::{Class, Store};

use crate::engines::engines;

fn now() -> DateTime<Utc> {
    "2026-03-31T12:00:00Z".parse().unwrap()
}

async fn save(store: &Store, hash: &'static str, roles: &'static [Role]) -> bool {
    store
        .write(Class::Ordinary, move |connection| {
            Box::pin(async move {
                let roles: BTreeSet<Role> = roles.iter().copied().collect();
                connection.save_user("pat", hash, &roles, now()).await
            })
        })
        .await
        .unwrap()
}

#[tokio::test]
async fn a_new_password_and_retirement_end_the_sessions() {
    for engine in engines().await {
        let store = &engine.store;
        assert!(save(store, "one", &[Role::Ops]).await, "{}", engine.name);
        for retire in [false, true] {
            store
                .write(Class::Ordinary, move |connection| {
                    Box::pin(async move {
                        connection
                            .execute(
                                "INSERT INTO console_session (token_hash, name, csrf, expires_at) VALUES ('t', 'pat', 'c', 9)",
                                binds![],
                            )
                            .await?;
                        if retire {
                            assert!(connection.retire_user("pat").await?);
                            assert!(!connection.retire_user("nobody").await?);
                        }
                        Ok(())
                    })
                })
                .await
                .unwrap();
            if !retire {
                assert!(!save(store, "two", &[Role::Ar, Role::Ops]).await);
            }
            let mut connection = store.read().await.unwrap();
            let open = connection
                .number("SELECT COUNT(*) FROM console_session", binds![])
                .await
                .unwrap();
            assert_eq!(open, 0, "{}", engine.name);
            let listed = users(&mut connection).await.unwrap();
            assert_eq!(
                (listed[0].roles.join(","), listed[0].active),
                ("ops,ar".to_owned(), !retire)
            );
        }
    }
}
