//! Uploads: whole or not at all.

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

#[tokio::test]
async fn an_upload_that_is_not_whole_leaves_nothing() {
    let world = World::new().await;
    let whole = multipart("a.mp3", "true", &[7; 300_000]);
    let file =
        "--B\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.mp3\"\r\n\r\nbytes\r\n";
    let bodies: Vec<(&str, Vec<u8>)> = vec![
        ("cut in the file", whole[..200_000].to_vec()),
        (
            "cut before the last boundary",
            whole[..whole.len() - 9].to_vec(),
        ),
        ("cut in a header", whole[..20].to_vec()),
        ("empty", Vec::new()),
        ("no name", format!("{file}--B--\r\n").into_bytes()),
        (
            "no file",
            format!("{}--B--\r\n", part("name", "a.mp3")).into_bytes(),
        ),
        (
            "unknown part",
            format!(
                "{}{}{file}--B--\r\n",
                part("name", "a.mp3"),
                part("colour", "blue")
            )
            .into_bytes(),
        ),
        (
            "odd overwrite",
            format!(
                "{}{}{file}--B--\r\n",
                part("name", "a.mp3"),
                part("overwrite", "yes")
            )
            .into_bytes(),
        ),
        (
            "a name with a folder",
            format!("{}{file}--B--\r\n", part("name", "../a.mp3")).into_bytes(),
        ),
        (
            "two files",
            format!("{}{file}{file}--B--\r\n", part("name", "a.mp3")).into_bytes(),
        ),
    ];
    for (what, body) in bodies {
        let answer = world.upload_raw(body).await;
        assert_eq!(answer.status, 400, "{what}");
        assert_eq!(world.spooled(), 0, "{what}");
    }
    assert!(world.core.journal.effects().is_empty());
    assert_eq!(world.upload("a.mp3", b"bytes").await.status, 200);
    assert_eq!(world.spooled(), 1);
}

#[tokio::test]
async fn a_body_that_breaks_off_leaves_nothing() {
    let world = World::new().await;
    let half = multipart("a.mp3", "true", &[7; 100_000])[..50_000].to_vec();
    let pieces = [
        Ok(bytes::Bytes::from(half)),
        Err(std::io::Error::other("connection reset")),
    ];
    let request = Request::post("/api/v2/files")
        .header("authorization", format!("Bearer {}", world.token))
        .header("content-type", "multipart/form-data; boundary=B")
        .body(Body::from_stream(futures_util::stream::iter(pieces)))
        .expect("a request");
    assert_eq!(world.send(request).await.status, 400);
    assert_eq!(world.spooled(), 0);
}

#[tokio::test]
async fn the_same_name_keeps_its_id_and_takes_the_new_content() {
    let world = World::new().await;
    let first = world.upload("a.mp3", b"one").await.json();
    let second = world.upload("a.mp3", b"three").await.json();
    assert_eq!(first["id"], second["id"]);
    assert_eq!(second["sizeBytes"], 5);
    let effects = world.core.journal.effects();
    assert!(
        effects.contains("created") && effects.contains("replaced"),
        "{effects}"
    );
}

#[tokio::test]
async fn the_same_name_without_overwrite_is_409_with_the_id() {
    let world = World::new().await;
    let first = world.upload("a.mp3", b"one").await.json();
    for overwrite in ["false", "true"] {
        let answer = world
            .upload_raw(multipart("a.mp3", overwrite, b"two"))
            .await;
        assert_eq!(answer.status, if overwrite == "true" { 200 } else { 409 });
        let named = if overwrite == "true" {
            "id"
        } else {
            "entityId"
        };
        assert_eq!(answer.json()[named], first["id"]);
    }
}

#[tokio::test]
async fn fields_may_follow_the_file() {
    let world = World::new().await;
    let body = format!(
        "--B\r\ncontent-disposition: form-data; name=\"file\"; \
         filename=\"a.mp3\"\r\n\r\nbytes\r\n{}{}--B--\r\n",
        part("overwrite", "true"),
        part("name", "a.mp3")
    );
    let answer = world.upload_raw(body.into_bytes()).await;
    assert_eq!(
        (answer.status.as_u16(), answer.json()["name"].as_str()),
        (200, Some("a.mp3"))
    );
}

#[tokio::test]
async fn file_ids_are_a_function_of_the_name() {
    let (one, other) = (World::new().await, World::new().await);
    let (a, b) = (one.any_file("a.mp3").await, one.any_file("b.mp3").await);
    let (second_b, second_a) = (other.any_file("b.mp3").await, other.any_file("a.mp3").await);
    assert_eq!((a, b), (second_a, second_b));
    assert_ne!(a, b);
}

#[tokio::test]
async fn a_file_over_the_limit_is_413_and_leaves_nothing() {
    let world = World::with(Settings {
        max_upload_bytes: 1_000,
        ..Settings::default()
    })
    .await;
    let answer = world.upload("a.mp3", &[0; 1_001]).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (413, "request.entity.too.large")
    );
    assert_eq!(world.spooled(), 0);
    assert_eq!(world.upload("a.mp3", &[0; 1_000]).await.status, 200);
}

#[tokio::test]
async fn an_upload_that_is_no_multipart_is_415() {
    let world = World::new().await;
    let answer = world.post("/api/v2/files", &json!({"name": "a.mp3"})).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (415, "unsupported.media.type")
    );
}

#[tokio::test]
async fn a_large_upload_over_a_real_connection_is_kept_or_refused_with_an_answer() {
    let world = World::with(Settings {
        max_upload_bytes: 8 * 1024 * 1024,
        ..Settings::default()
    })
    .await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let url = format!(
        "http://{}/api/v2/files",
        listener.local_addr().expect("an address")
    );
    let server = tokio::spawn(crate::http::connection::accept(
        listener,
        world.router.clone(),
        world.core.clock.clone(),
    ));
    let client = http_client();
    for (size, status) in [(8 * 1024 * 1024, 200), (8 * 1024 * 1024 + 100_000, 413)] {
        let request = client
            .post(&url)
            .bearer_auth(&world.token)
            .header("content-type", "multipart/form-data; boundary=B");
        let answer = request
            .body(multipart("large.mp3", "true", &vec![1; size]))
            .send()
            .await
            .expect("an answer");
        assert_eq!(answer.status().as_u16(), status, "{size}");
    }
    let refused = client
        .post(&url)
        .header("content-type", "multipart/form-data; boundary=B");
    let answer = refused
        .body(multipart("large.mp3", "true", &vec![1; 4_000_000]))
        .send()
        .await
        .expect("an answer");
    assert_eq!(answer.status().as_u16(), 401);
    assert_eq!(world.spooled(), 1);
    server.abort();
}

fn http_client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .build()
        .expect("a client")
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64, failure_persistence: None, ..ProptestConfig::default()
    })]

    /// However a body arrives in pieces, wherever it is cut, and whatever stands in it: the file is
    /// kept as it was sent, or refused and nothing of it is kept.
    #[test]
    fn an_upload_in_any_pieces_is_kept_whole_or_refused(
        file in proptest::collection::vec(any::<u8>(), 1..5000),
        pieces in 1_usize..900,
        changed: Option<(Index, u8)>,
        kept: Option<Index>,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let world = World::unlimited().await;
            let mut body = multipart("a.mp3", "true", &file);
            if let Some((at, byte)) = changed {
                let at = at.index(body.len());
                body[at] = byte;
            }
            body.truncate(kept.map_or(body.len(), |kept| kept.index(body.len())));
            let is_whole = changed.is_none() && kept.is_none();
            let sent: Vec<std::io::Result<bytes::Bytes>> = body
                .chunks(pieces)
                .map(|piece| Ok(bytes::Bytes::copy_from_slice(piece)))
                .collect();
            let request = Request::post("/api/v2/files")
                .header("authorization", format!("Bearer {}", world.token))
                .header("content-type", "multipart/form-data; boundary=B")
                .body(Body::from_stream(futures_util::stream::iter(sent)))
                .expect("a request");
            let answer = world.send(request).await;
            if answer.status == 200 {
                prop_assert_eq!(world.spooled(), 1);
                if is_whole {
                    prop_assert_eq!(answer.json()["sizeBytes"].as_u64(), Some(file.len() as u64));
                    let sha256 = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(&file));
                    prop_assert_eq!(world.site.spool.read(&sha256).expect("kept"), file);
                }
            } else {
                prop_assert!(!is_whole, "{}", String::from_utf8_lossy(&answer.body));
                prop_assert!(answer.status.is_client_error(), "{}", answer.status);
                prop_assert_eq!(world.spooled(), 0);
            }
            Ok(())
        })?;
    }
}
