//! The client's role changes while the organisation runs.

use super::*;
use crate::platforms::genesys_cloud::{AccessSettings, Role};

#[tokio::test]
async fn a_role_is_changed_in_part_and_refused_whole() {
    let access = AccessSettings {
        divisions: vec!["Home".to_owned(), "Sales".to_owned()],
        ..AccessSettings::default()
    };
    let world = World::with(Settings {
        access,
        ..Settings::default()
    })
    .await;
    let status = async |path: &str| world.get(path).await.status.as_u16();
    let queues = "/api/v2/routing/queues";
    let seen = async || {
        world.get(queues).await.json()["total"]
            .as_u64()
            .expect("a number")
    };
    let all = seen().await;
    let lacks = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
    world
        .site
        .change_role(Role {
            client_divisions: lacks(&["Sales"]),
            ..Role::default()
        })
        .expect("a division");
    let some = seen().await;
    assert!(some < all, "{some} of {all}");
    world
        .site
        .change_role(Role {
            missing_scopes: lacks(&["routing:skill:view"]),
            ..Role::default()
        })
        .expect("a scope");
    assert_eq!(
        (status("/api/v2/routing/skills").await, seen().await),
        (403, some),
        "the divisions stay as they were"
    );
    let typo = world.site.change_role(Role {
        missing_scopes: lacks(&["routing:skill:veiw"]),
        ..Role::default()
    });
    assert_eq!(
        typo,
        Err("missing_scopes names `routing:skill:veiw`, which nothing here asks for".to_owned())
    );
    let refused = world.site.change_role(Role {
        missing_scopes: lacks(&[]),
        client_divisions: lacks(&["Nowhere"]),
    });
    assert_eq!(
        refused,
        Err("client_divisions names `Nowhere`, which is not one of divisions".to_owned())
    );
    assert_eq!(
        (status("/api/v2/routing/skills").await, seen().await),
        (403, some),
        "nothing of a refused change is done"
    );
    world
        .site
        .change_role(Role {
            missing_scopes: lacks(&[]),
            client_divisions: lacks(&[]),
        })
        .expect("nothing");
    assert_eq!(
        (status("/api/v2/routing/skills").await, seen().await),
        (200, all)
    );
}
