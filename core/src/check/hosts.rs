//! Hosts and roles: roles that nobody provides, parallel nodes without hosts, nodes that their hosts keep from being
//! placed.

use super::findings::{Findings, path};
use super::{Finding, Severity, place_of};
use crate::node::{Class, HostSource, Kind, MapFrom, Member, Node, NodeError, Position, RoleMapping, Roles};
use crate::script::suggest::suggest;

/// Everything about the hosts of one node.
pub(super) fn look(node: &Node, findings: &mut Findings) {
    let reported = mapping(node, findings);
    if !reported && is_empty(node) && !node.parent().is_some_and(|parent| is_empty(&parent)) {
        let message = format!("has no hosts: its actions will do nothing; {}", where_hosts_come_from(node));
        findings.add(Severity::Warning, node, position(node.class()).or_else(|| place_of(node)), message);
    }
}

/// A parallel node acts on the role `host`.
fn is_empty(node: &Node) -> bool {
    matches!(node.class().kind(), Kind::Parallel | Kind::Array) && node.roles().get(Roles::HOST).is_empty()
}

/// Where the hosts were written, when the node does not just take its parent's.
fn position(class: &Class) -> Option<Position> {
    if class.hosts() == HostSource::Inherit { None } else { class.position_of_hosts() }
}

fn where_hosts_come_from(node: &Node) -> String {
    let others: Vec<&str> = node.roles().0.keys().map(String::as_str).filter(|role| *role != Roles::HOST).collect();
    match (others.as_slice(), node.class().hosts()) {
        ([], HostSource::Inherit) => "the nodes above have none either: write `Hosts = { ... }` there".to_string(),
        ([], _) => "the role 'host' is empty: put hosts into the role that it is made of".to_string(),
        (roles, _) => {
            format!("it acts on the role 'host', its roles are {}: add `host` or map one to it", roles.join(", "))
        }
    }
}

/// Roles that a mapping wants and the parent does not have (row D-05). Whether there was something to say.
pub(super) fn mapping(node: &Node, findings: &mut Findings) -> bool {
    let HostSource::Mapped(mapping) = node.class().hosts() else { return false };
    let parent = node.parent();
    let Some((roles, message)) = unknown(&mapping, parent.as_ref()) else { return false };
    let position = position(node.class()).or_else(|| place_of(node));
    findings.add_thing(roles, Finding { severity: Severity::Warning, node: Some(path(node)), position, message });
    true
}

/// The roles, and the message.
fn unknown(mapping: &RoleMapping, parent: Option<&Node>) -> Option<(String, String)> {
    let Some(parent) = parent else {
        let wanted = mapping.0.iter().map(|(_, from)| match from {
            MapFrom::All => "ALL_HOSTS".to_string(),
            MapFrom::Roles(roles) => roles.join(", "),
        });
        let wanted = wanted.collect::<Vec<String>>().join(", ");
        let message = format!(
            "takes roles of a node above ({wanted}), but the root has none above it: write its hosts, as in `Hosts = {{ web = {{ web1 }} }}`"
        );
        return Some((wanted, message));
    };
    let mut unknown = mapping.unknown(parent.roles());
    unknown.dedup();
    let first = unknown.first()?;
    let names: Vec<String> = unknown.iter().map(|role| format!("'{role}'")).collect();
    let names = names.join(", ");
    let word = if unknown.len() == 1 { "the role" } else { "the roles" };
    let known = match parent.roles().0.is_empty() {
        true => "; it has no roles at all".to_string(),
        false => suggest(first, parent.roles().0.keys().map(String::as_str)),
    };
    let message = format!("takes {word} {names} from the node above, which does not have it{known}");
    Some((names, message))
}

/// A child that cannot be placed: a just-one node without exactly one host, slugs that meet, too deep a tree.
pub(super) fn unplaceable(parent: &Node, name: &str, error: &NodeError, findings: &mut Findings) {
    let Some(Member::Child(class)) = parent.class().member(name) else { return };
    let because = match class.hosts() {
        HostSource::Mapped(mapping) => unknown(&mapping, Some(parent)).map(|(_, why)| format!("; it {why}")),
        _ => None,
    };
    let message = format!("{}{}", error.message, because.unwrap_or_default());
    let at = position(&class).or_else(|| parent.class().position_of(name)).or_else(|| class.position().cloned());
    let node = Some(format!("{}.{name}", path(parent)));
    findings.add_thing(message.clone(), Finding { severity: Severity::Error, node, position: at, message });
}
