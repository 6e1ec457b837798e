//! What command lines ask for, and those that are refused.

use super::*;

fn parsed(line: &str) -> Result<Asked, NotUnderstood> {
    parse(line.split_whitespace().map(str::to_owned))
}

#[test]
fn arguments_say_what_to_do() {
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let local = IpAddr::from([127, 0, 0, 1]);
    let relay = |proxies| RelayAsked { data: "d".into(), listen, name: None, proxies };
    let serve = |proxies| Asked::Serve { relay: relay(proxies), hospital: None, supervised: false };
    let hospital = |account, language: Option<&str>| HospitalAsked {
        data: "h".into(),
        directory: "f".into(),
        language: language.map(str::to_owned),
        account,
    };
    let beside = |account| Asked::Serve {
        relay: relay(vec![]),
        hospital: Some(hospital(account, None)),
        supervised: false,
    };
    let alone = |account, server: Option<&str>, code: Option<&str>| Asked::Hospital {
        hospital: hospital(account, Some("id")),
        server: server.map(str::to_owned),
        code: code.map(str::to_owned),
        supervised: false,
    };
    let url = Some("http://127.0.0.1:1");
    let restore = |replace| Asked::Restore { from: "b".into(), data: "d".into(), replace };
    let cases = [
        ("--data d --listen 127.0.0.1:0", serve(vec![])),
        ("--data d --listen 127.0.0.1:0 --proxy 127.0.0.1", serve(vec![local])),
        (
            "--proxy 127.0.0.1 --proxy ::1 --data d --listen 127.0.0.1:0",
            serve(vec![local, [0, 0, 0, 0, 0, 0, 0, 1u16].into()]),
        ),
        (
            "relay --data d --listen 127.0.0.1:0 --supervised",
            Asked::Serve { relay: relay(vec![]), hospital: None, supervised: true },
        ),
        ("--data d --listen 127.0.0.1:0 --hospital h --directory f", beside(Account::Here)),
        (
            "serve --data d --listen 127.0.0.1:0 --hospital h --directory f --found RS",
            beside(Account::Found("RS".into())),
        ),
        ("hospital --data h --directory f --language id", alone(Account::Here, None, None)),
        (
            "hospital --data h --directory f --language id --join -",
            alone(Account::Join("-".into()), None, None),
        ),
        (
            "hospital --data h --directory f --language id --server http://127.0.0.1:1 --found RS --code -",
            alone(Account::Found("RS".into()), url, Some("-")),
        ),
        ("enrol --data d", Asked::Enrol { data: "d".into(), host: false }),
        ("enrol --data d --hospital", Asked::Enrol { data: "d".into(), host: true }),
        ("backup --data d --to b", Asked::Backup { data: "d".into(), to: "b".into() }),
        ("check --data d", Asked::Check { data: "d".into() }),
        ("restore --from b --data d", restore(false)),
        ("restore --from b --replace --data d", restore(true)),
        ("backup --help", Asked::Help),
    ];
    for (line, asked) in cases {
        assert_eq!(parsed(line), Ok(asked), "{line:?}");
    }
}

#[test]
fn what_is_not_understood_is_refused_with_usage() {
    for line in [
        "",
        "--data d",
        "--listen 127.0.0.1:0",
        "--data d --listen nowhere",
        "--data d --listen 127.0.0.1:0 --quiet",
        "--data d --data e --listen 127.0.0.1:0",
        "--data d --listen 127.0.0.1:0 --proxy 127.0.0.1:80",
        "enrol --data d --listen 127.0.0.1:0",
        "backup --data d",
        "restore --from b",
        "restore --from b --data d --replace --replace",
        "check --data d --replace",
        "serve --data d",
        "start --data d",
        "--data",
        "--data d --listen 127.0.0.1:0 --directory f",
        "--data d --listen 127.0.0.1:0 --hospital h",
        "--data d --listen 127.0.0.1:0 --hospital h --directory f --supervised",
        "--data d --listen 10.0.0.1:7400 --hospital h --directory f",
        "relay --data d --listen 127.0.0.1:0 --hospital h --directory f",
        "hospital --data h",
        "hospital --data h --directory f --join x --found RS",
        "hospital --data h --directory f --found RS",
        "hospital --data h --directory f --found RS --server u",
        "hospital --data h --directory f --code x",
        "hospital --data h --directory f --server u",
    ] {
        let refused = parsed(line).expect_err("refused");
        assert!(refused.to_string().contains("usage:"), "usage is printed for {line:?}");
    }
}
