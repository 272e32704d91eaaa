//! What every hook command prints.

use super::Disk;

#[test]
fn status_says_what_is_whole() {
    let disk = Disk::with_policy();
    disk.hook("status").ends(0).says("No hook is installed.");
    disk.hook("install docker -y --authz").ends(0);
    let ran = disk.hook("status").ends(0);
    assert_eq!(
        ran.stdout,
        "HOOK      STATUS    FILE\ndocker    intact    /etc/docker/daemon.json\n"
    );
    let json = disk.hook("status --format json").ends(0).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json[0]["status"], "intact");
}

#[test]
fn results_are_json_where_that_is_wanted() {
    let disk = Disk::with_policy();
    for (line, changed) in [
        ("install docker -y --authz --format json", 1),
        ("install docker -y --authz --format json", 0),
        ("remove docker -y --format json", 1),
        ("remove docker -y --format json", 0),
    ] {
        let json = disk.hook(line).ends(0).stdout;
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["changed"].as_array().unwrap().len(), changed, "{line}");
    }
}

#[test]
fn nothing_is_proven_where_nothing_is_pulled() {
    let disk = Disk::new();
    let ran = disk.hook("remove nothing");
    assert_eq!(ran.code, 2);
}
