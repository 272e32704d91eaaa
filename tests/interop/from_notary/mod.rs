//! Every row of docs/from-notary.md: our command does what notary's would have done, and the notary client reads it.

mod configuration;
mod delegations;
mod environment;
mod everywhere;
mod help;
mod keys;
mod page;
mod repositories;
mod scene;
mod targets;

use std::collections::BTreeSet;

use crate::peers::{
    lab::Lab,
    server::{Kind, on_both_servers},
};
use page::Page;
use scene::Scene;

/// The first cell of a row, and what proves the second.
type Scenario = (&'static str, fn(&Scene<'_>));

on_both_servers!(
    configuration,
    delegations,
    environment,
    everywhere,
    keys,
    repositories,
    targets,
);

fn configuration(server: Kind) {
    play(server, configuration::SCENARIOS);
}

fn delegations(server: Kind) {
    play(server, delegations::SCENARIOS);
}

fn environment(server: Kind) {
    play(server, environment::SCENARIOS);
}

fn everywhere(server: Kind) {
    play(server, everywhere::SCENARIOS);
}

fn keys(server: Kind) {
    play(server, keys::SCENARIOS);
}

fn repositories(server: Kind) {
    play(server, repositories::SCENARIOS);
}

fn targets(server: Kind) {
    play(server, targets::SCENARIOS);
}

/// Plays scenarios in one lab, each with a repository of its own, and requires that each ran what its row says.
fn play(server: Kind, scenarios: &[Scenario]) {
    let (page, lab) = (Page::read(), Lab::start(server));
    let nigel = lab.home("nigel");
    for key in ["root", "nigel"] {
        nigel.trust(&format!("key generate {key}")).ok();
    }
    for (number, (row, scenario)) in scenarios.iter().enumerate() {
        eprintln!("`{row}`");
        let scene = Scene::new(&nigel, number, server);
        scenario(&scene);
        page.row(row).expect("a row").was_run(&scene.ran());
    }
}

#[test]
fn every_row_has_a_scenario_or_a_reason() {
    let page = Page::read();
    let all = [
        configuration::SCENARIOS,
        delegations::SCENARIOS,
        environment::SCENARIOS,
        everywhere::SCENARIOS,
        keys::SCENARIOS,
        repositories::SCENARIOS,
        targets::SCENARIOS,
    ];
    let mut played = BTreeSet::new();
    for (row, _) in all.into_iter().flatten() {
        assert!(played.insert(*row), "`{row}` has two scenarios");
        assert!(page.row(row).is_some(), "`{row}` has no row");
    }
    let mut seen = BTreeSet::new();
    for row in &page.rows {
        let name = row.notary.as_str();
        assert!(seen.insert(name), "`{name}` has two rows");
        let tested = played.contains(name);
        assert_eq!(tested, !row.trust.is_empty(), "`{name}` and its scenario");
        let reason = !row.remark.is_empty();
        assert!(tested || reason, "`{name}`: neither a command nor a reason");
    }
    assert!(played.len() > 50, "only {} rows are played", played.len());
}
