//! The store: a web server's answers to what a migration, an audit and a mishap do to it.

use super::*;

const ROOT: &str = "http://127.0.0.1:40006/recordings";

impl World {
    async fn dav(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let basic = self.basic_of(1);
        let headers: Vec<(&str, &str)> = [("authorization", basic.as_str())]
            .into_iter()
            .chain(headers.iter().copied())
            .collect();
        World::send_to(&self.routers.webdav, method, path, &headers, Some(body)).await
    }

    async fn put(&self, path: &str, body: &[u8]) -> u16 {
        self.dav("PUT", path, &[], body).await.status
    }

    fn last(&self) -> crate::JournalEntry {
        self.core
            .journal
            .page(
                Some("webdav"),
                0,
                usize::MAX,
                crate::journal::Digests::Hidden,
            )
            .pop()
            .expect("a line")
    }
}

#[tokio::test]
async fn the_store_answers_as_a_web_server_does() {
    let world = World::new().await;
    let to = |path: &str| format!("{ROOT}{path}");
    let (there, twice, elsewhere) = (
        to("/a/call.mp3"),
        to("/a/copy.mp3"),
        "http://example.com/recordings/x".to_owned(),
    );
    for (method, path, headers, body, status) in [
        (
            "PUT",
            "/recordings/a/call.mp3.part",
            vec![],
            "0123456789",
            409,
        ),
        ("MKCOL", "/recordings/b/c", vec![], "", 409),
        ("MKCOL", "/recordings/a", vec![], "", 201),
        ("MKCOL", "/recordings/a", vec![], "", 405),
        ("PUT", "/recordings/a", vec![], "0", 405),
        (
            "PUT",
            "/recordings/a/call.mp3.part",
            vec![],
            "0123456789",
            201,
        ),
        (
            "PUT",
            "/recordings/a/call.mp3.part",
            vec![],
            "012345678",
            204,
        ),
        (
            "PUT",
            "/recordings/a/call.mp3.part",
            vec![("content-range", "bytes 0-1/10")],
            "01",
            400,
        ),
        (
            "PUT",
            "/recordings/a/call.mp3.part",
            vec![("if-none-match", "*")],
            "x",
            412,
        ),
        (
            "PUT",
            "/recordings/b/other.mp3",
            vec![("if-none-match", "*")],
            "x",
            409,
        ),
        (
            "PUT",
            "/recordings/a/other.mp3",
            vec![("if-match", "\"none\"")],
            "x",
            412,
        ),
        (
            "PUT",
            "/recordings/a/other.mp3",
            vec![("if-none-match", "*")],
            "x",
            201,
        ),
        ("MOVE", "/recordings/a/call.mp3.part", vec![], "", 400),
        (
            "MOVE",
            "/recordings/a/call.mp3.part",
            vec![("destination", &*elsewhere)],
            "",
            502,
        ),
        (
            "MOVE",
            "/recordings/a/none",
            vec![("destination", &*there)],
            "",
            404,
        ),
        (
            "MOVE",
            "/recordings/a/call.mp3.part",
            vec![("destination", &*there), ("overwrite", "F")],
            "",
            201,
        ),
        (
            "MOVE",
            "/recordings/a/other.mp3",
            vec![("destination", &*there), ("overwrite", "F")],
            "",
            412,
        ),
        (
            "COPY",
            "/recordings/a/call.mp3",
            vec![("destination", &*twice)],
            "",
            201,
        ),
        (
            "COPY",
            "/recordings/a/call.mp3",
            vec![("destination", "/recordings/a/copy.mp3")],
            "",
            204,
        ),
        ("GET", "/recordings/a/call.mp3.part", vec![], "", 404),
        ("GET", "/recordings/a/call.mp3", vec![], "", 200),
        ("HEAD", "/recordings/a/call.mp3", vec![], "", 200),
        (
            "GET",
            "/recordings/a/call.mp3",
            vec![("range", "bytes=2-4")],
            "",
            206,
        ),
        (
            "GET",
            "/recordings/a/call.mp3",
            vec![("range", "bytes=9-")],
            "",
            416,
        ),
        ("PROPFIND", "/recordings/a", vec![("depth", "1")], "", 207),
        (
            "PROPFIND",
            "/recordings/none",
            vec![("depth", "0")],
            "",
            404,
        ),
        (
            "PROPFIND",
            "/recordings/a",
            vec![("depth", "infinity")],
            "",
            403,
        ),
        ("PROPFIND", "/recordings/a", vec![], "", 403),
        ("DELETE", "/recordings/a/copy.mp3", vec![], "", 204),
        ("DELETE", "/recordings/a/copy.mp3", vec![], "", 404),
        ("DELETE", "/recordings", vec![], "", 403),
        (
            "MOVE",
            "/recordings/",
            vec![("destination", &*there)],
            "",
            403,
        ),
        ("OPTIONS", "/recordings/a", vec![], "", 200),
        ("PATCH", "/recordings/a/call.mp3", vec![], "", 405),
        ("POST", "/recordings/a/call.mp3", vec![], "", 405),
        ("GET", "/", vec![], "", 404),
        ("GET", "/recordings/%2e%2e/x", vec![], "", 400),
        ("PUT", "/recordings/a%00", vec![], "x", 400),
    ] {
        let answer = world.dav(method, path, &headers, body.as_bytes()).await;
        assert_eq!(answer.status, status, "{method} {path} {headers:?}");
        assert!(answer.header("connection").is_empty(), "{method} {path}");
    }
}

#[tokio::test]
async fn a_file_is_read_as_it_was_put() {
    let world = World::new().await;
    assert_eq!(world.put("/recordings/call.mp3", b"0123456789").await, 201);
    let whole = world.dav("GET", "/recordings/call.mp3", &[], b"").await;
    assert_eq!(
        (&*whole.bytes, whole.header("content-length")),
        (&b"0123456789"[..], "10")
    );
    assert!(whole.header("etag").starts_with('"') && !whole.header("last-modified").is_empty());
    let head = world.dav("HEAD", "/recordings/call.mp3", &[], b"").await;
    assert_eq!(
        (
            head.bytes.len(),
            head.header("content-length"),
            head.header("etag")
        ),
        (0, "10", whole.header("etag"))
    );
    for (range, content_range, bytes) in [
        ("bytes=0-0", "bytes 0-0/10", "0"),
        ("bytes=7-", "bytes 7-9/10", "789"),
        ("bytes=-2", "bytes 8-9/10", "89"),
        ("bytes=5-99", "bytes 5-9/10", "56789"),
    ] {
        let part = world
            .dav("GET", "/recordings/call.mp3", &[("range", range)], b"")
            .await;
        assert_eq!(
            (part.status, part.header("content-range"), &*part.bytes),
            (206, content_range, bytes.as_bytes()),
            "{range}"
        );
    }
    let beyond = world
        .dav(
            "GET",
            "/recordings/call.mp3",
            &[("range", "bytes=10-")],
            b"",
        )
        .await;
    assert_eq!(
        (beyond.status, beyond.header("content-range")),
        (416, "bytes */10")
    );
    let listed = world
        .dav("PROPFIND", "/recordings/", &[("depth", "1")], b"")
        .await;
    let text = String::from_utf8(listed.bytes.to_vec()).expect("text");
    assert!(
        text.contains("/recordings/call.mp3")
            && text.contains("<D:getcontentlength>10</D:getcontentlength>"),
        "{text}"
    );
}

#[tokio::test]
async fn properties_go_where_their_file_goes() {
    let world = World::new().await;
    world.put("/recordings/a.mp3", b"x").await;
    let patch = r#"<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><s:note xmlns:s="urn:s">kept</s:note></D:prop></D:set></D:propertyupdate>"#;
    assert_eq!(
        world
            .dav("PROPPATCH", "/recordings/a.mp3", &[], patch.as_bytes())
            .await
            .status,
        207
    );
    assert_eq!(world.last().effect.as_deref(), Some("updated"));
    let has = async |path: &str| {
        let answer = world.dav("PROPFIND", path, &[("depth", "0")], b"").await;
        answer.status == 207 && String::from_utf8_lossy(&answer.bytes).contains("kept")
    };
    assert!(has("/recordings/a.mp3").await);
    world
        .dav(
            "MOVE",
            "/recordings/a.mp3",
            &[("destination", "/recordings/b.mp3")],
            b"",
        )
        .await;
    world.put("/recordings/a.mp3", b"x").await;
    assert!(has("/recordings/b.mp3").await && !has("/recordings/a.mp3").await);
    world.dav("DELETE", "/recordings/b.mp3", &[], b"").await;
    world.put("/recordings/b.mp3", b"x").await;
    assert!(!has("/recordings/b.mp3").await);
}

#[tokio::test]
async fn an_upload_that_ends_early_leaves_what_was_there() {
    let world = World::new().await;
    world.put("/recordings/call.mp3", b"before").await;
    let pieces = [
        Ok(bytes::Bytes::from_static(b"after")),
        Err(std::io::Error::other("cut")),
    ];
    let body = Body::from_stream(futures_util::stream::iter(pieces));
    let request = Request::builder()
        .method("PUT")
        .uri("/recordings/call.mp3")
        .header("authorization", world.basic_of(1));
    let response = world
        .routers
        .webdav
        .clone()
        .oneshot(request.body(body).expect("a request"))
        .await
        .expect("an answer");
    assert_eq!(response.status(), 400);
    assert_eq!(
        &*world
            .dav("GET", "/recordings/call.mp3", &[], b"")
            .await
            .bytes,
        b"before"
    );
    let waiting = std::fs::read_dir(world.site.webdav().waiting_room())
        .expect("the folder")
        .count();
    assert_eq!(waiting, 1, "only the store itself");
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_is_not_followed() {
    let world = World::new().await;
    world.put("/recordings/call.mp3", b"x").await;
    let file = world
        .site
        .webdav()
        .file_of(&format!("{ROOT}/call.mp3"))
        .expect("a file");
    let outside = tempfile::tempdir().expect("a folder");
    std::fs::write(outside.path().join("secret"), b"secret").expect("written");
    std::os::unix::fs::symlink(outside.path(), file.with_file_name("link")).expect("a link");
    for (method, path) in [
        ("GET", "/recordings/link/secret"),
        ("PUT", "/recordings/link/new"),
        ("DELETE", "/recordings/link/secret"),
        ("PROPFIND", "/recordings/link"),
    ] {
        let status = world.dav(method, path, &[("depth", "0")], b"").await.status;
        assert!([403, 404].contains(&status), "{method} {path} {status}");
    }
    let listed = world
        .dav("PROPFIND", "/recordings/", &[("depth", "1")], b"")
        .await;
    assert!(!String::from_utf8_lossy(&listed.bytes).contains("link"));
    assert_eq!(
        std::fs::read_dir(outside.path())
            .expect("the folder")
            .count(),
        1
    );
}

#[tokio::test]
async fn every_request_shows_the_stores_own_account() {
    let world = World::new().await;
    for basic in ["", &*world.basic_of(0), &*world.basic_of(2), "Basic !"] {
        let headers = [("authorization", basic)];
        let answer = World::send_to(
            &world.routers.webdav,
            "GET",
            "/recordings/x",
            &headers,
            None,
        )
        .await;
        assert_eq!(
            (answer.status, answer.header("www-authenticate")),
            (401, "Basic realm=\"user\""),
            "{basic}"
        );
    }
    assert_eq!(world.last().attempt, 0);
}

#[tokio::test]
async fn every_request_is_journalled_under_its_file_and_struck_by_its_faults() {
    let fault = |text: &str| toml::from_str::<FaultRule>(text).expect("a fault");
    let faults = vec![
        fault("on = 'webdav.put_file'\nkind = 'server_error'\nattempts = [1]"),
        fault(
            "on = 'webdav.move_file'\nkind = 'error_after_commit'\nattempts = [1]\nkeys = \
             ['4711-1']",
        ),
    ];
    assert!(faults.iter().all(|fault| fault.check().is_ok()));
    let world = World::with_faults(Settings::default(), faults).await;
    let (part, file) = (
        "/recordings/st-ns-4711-1.0123456789ab.mp3.part",
        "/recordings/st-ns-4711-1.0123456789ab.mp3",
    );
    let to = [("destination", file), ("overwrite", "F")];
    for (method, path, headers, body, status, operation, key, effect, bytes) in [
        (
            "PUT",
            part,
            &[][..],
            &b"abc"[..],
            503,
            "webdav.put_file",
            "st-ns-4711-1.0123456789ab.mp3.part",
            None,
            3,
        ),
        (
            "HEAD",
            part,
            &[],
            b"",
            404,
            "webdav.head_file",
            "st-ns-4711-1.0123456789ab.mp3.part",
            None,
            0,
        ),
        (
            "PUT",
            part,
            &[],
            b"abc",
            201,
            "webdav.put_file",
            "st-ns-4711-1.0123456789ab.mp3.part",
            Some("created"),
            3,
        ),
        (
            "MOVE",
            part,
            &to,
            b"",
            503,
            "webdav.move_file",
            "st-ns-4711-1.0123456789ab.mp3",
            Some("moved"),
            0,
        ),
        (
            "HEAD",
            file,
            &[],
            b"",
            200,
            "webdav.head_file",
            "st-ns-4711-1.0123456789ab.mp3",
            None,
            0,
        ),
        (
            "MKCOL",
            "/recordings/c/",
            &[],
            b"",
            201,
            "webdav.make_collection",
            "c",
            Some("created"),
            0,
        ),
        (
            "OPTIONS",
            "/recordings/",
            &[],
            b"",
            200,
            "webdav.other",
            "-",
            None,
            0,
        ),
    ] {
        assert_eq!(
            world.dav(method, path, headers, body).await.status,
            status,
            "{method} {path}"
        );
        let line = world.last();
        assert_eq!(
            (
                &*line.operation,
                &*line.key,
                line.effect.as_deref(),
                line.bytes_in
            ),
            (operation, key, effect, bytes)
        );
    }
}

#[tokio::test]
async fn of_many_who_move_to_one_name_one_succeeds() {
    let world = Arc::new(World::new().await);
    for i in 0..8 {
        world
            .put(&format!("/recordings/{i}.part"), i.to_string().as_bytes())
            .await;
    }
    let moves = (0..8).map(|i| {
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            world
                .dav(
                    "MOVE",
                    &format!("/recordings/{i}.part"),
                    &[("destination", "/recordings/one"), ("overwrite", "F")],
                    b"",
                )
                .await
                .status
        })
    });
    let mut told = Vec::new();
    for one in moves.collect::<Vec<_>>() {
        told.push(one.await.expect("an answer"));
    }
    told.sort_unstable();
    assert_eq!(told, [201, 412, 412, 412, 412, 412, 412, 412]);
}
