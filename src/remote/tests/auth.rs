//! Who we say we are, and to whom.

use super::*;

/// A trust server and its token server; tokens are `t1`, `t2`, … and `t1` may be stale.
async fn guarded(stale_first: bool) -> (Url, Log) {
    let log = Log::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let challenge = format!(r#"Bearer realm="http://{address}/token",service="notary",scope="x""#);
    let check = move |headers: &HeaderMap| {
        let shown = headers
            .get("authorization")
            .and_then(|v| v.to_str().ok())
            .unwrap_or("");
        let good = shown.starts_with("Bearer t") && !(stale_first && shown == "Bearer t1");
        if good {
            answer(200, &[], "{}")
        } else {
            answer(401, &[("www-authenticate", challenge.clone())], "{}")
        }
    };
    let token = |log: Log, asked: String| {
        let mut log = log.lock().unwrap();
        log.push(asked);
        format!(
            r#"{{"token":"old","access_token":"t{}","expires_in":1}}"#,
            log.len()
        )
    };
    let by_get = move |State(log): State<Log>, RawQuery(query): RawQuery, headers: HeaderMap| async move {
        let shown = headers
            .get("authorization")
            .map_or("", |v| v.to_str().unwrap());
        token(log, format!("GET {} {shown}", query.unwrap_or_default()))
    };
    let by_post = move |State(log): State<Log>, RawForm(form): RawForm| async move {
        token(log, format!("POST {}", String::from_utf8_lossy(&form)))
    };
    let router = Router::new()
        .route("/token", get(by_get).post(by_post))
        .fallback(any(
            move |headers: HeaderMap| async move { check(&headers) },
        ))
        .with_state(Arc::clone(&log));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (format!("http://{address}").parse().unwrap(), log)
}

#[tokio::test]
async fn tokens_are_asked_for_with_our_own_scope_and_kept() {
    let scope = "scope=repository%3Ahost%3A5000%2Fteam%2Fapp%3Apull%2Cpush&service=notary";
    let token = Credentials::IdentityToken(Zeroizing::new("id".to_owned()));
    let table = [
        (Credentials::Anonymous, format!("GET {scope} ")),
        (basic(), format!("GET account=me&{scope} Basic bWU6cHc=")),
        (
            token,
            format!("POST client_id=docker&grant_type=refresh_token&refresh_token=id&{scope}"),
        ),
    ];
    for (credentials, expected) in table {
        let (url, log) = guarded(false).await;
        let notary = notary(&url, credentials);
        for _ in 0..2 {
            assert_eq!(notary.metadata(TIMESTAMP, LIMIT).await.unwrap(), b"{}");
        }
        assert_eq!(*log.lock().unwrap(), [expected]);
    }
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let (url, log) = guarded(true).await;
    notary(&url, basic())
        .publish(vec![("root".to_owned(), b"{}".to_vec().into())])
        .await
        .unwrap();
    assert_eq!(log.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn passwords_go_only_where_the_server_asks() {
    let check = |headers: HeaderMap| async move {
        match headers
            .get("authorization")
            .map(|value| value.to_str().unwrap().to_owned())
        {
            Some(shown) if shown == "Basic bWU6cHc=" => answer(200, &[], "yes"),
            _ => answer(
                401,
                &[("www-authenticate", "Basic realm=\"x\"".to_owned())],
                "",
            ),
        }
    };
    let url = serve(Router::new().fallback(any(check))).await;
    assert_eq!(
        notary(&url, basic())
            .metadata(TIMESTAMP, LIMIT)
            .await
            .unwrap(),
        b"yes"
    );
    let error = notary(&url, Credentials::Anonymous)
        .metadata(TIMESTAMP, LIMIT)
        .await
        .unwrap_err();
    assert!(
        error.to_string().ends_with("no basic auth credentials"),
        "{error}"
    );
}

#[tokio::test]
async fn a_challenge_that_comes_late_is_answered() {
    let check = |headers: HeaderMap| async move {
        if headers.contains_key("authorization") {
            return answer(200, &[], "yes");
        }
        answer(
            401,
            &[("www-authenticate", "Basic realm=\"x\"".to_owned())],
            "",
        )
    };
    let router = Router::new()
        .route("/v2/", get(|| async { "{}" }))
        .fallback(any(check));
    let url = serve(router).await;
    assert_eq!(
        notary(&url, basic())
            .metadata(TIMESTAMP, LIMIT)
            .await
            .unwrap(),
        b"yes"
    );
}

#[tokio::test]
async fn passwords_never_leave_in_the_clear() {
    let challenge = || async {
        answer(
            401,
            &[(
                "www-authenticate",
                "Bearer realm=\"http://elsewhere.example/t\"".to_owned(),
            )],
            "",
        )
    };
    let url = serve(Router::new().fallback(any(challenge))).await;
    let error = notary(&url, basic())
        .metadata(TIMESTAMP, LIMIT)
        .await
        .unwrap_err();
    assert!(
        matches!(error, RemoteError::InsecureRealm { .. }),
        "{error}"
    );
}
