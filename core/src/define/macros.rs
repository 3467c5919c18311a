//! Macros for what Rust's syntax has no short form of.

/// Hosts by role, in order (rows ): `roles! { web: [web1, web2], db: db }`. Hosts are definitions; what stands
/// alone may also be a list of them, or the hosts of an Env. Nothing is moved.
#[macro_export]
macro_rules! roles {
    (@to $roles:expr, ) => { $roles };
    (@to $roles:expr, $role:ident: [$($host:expr),* $(,)?] $(, $($rest:tt)*)?) => {
        $crate::roles!(@to $roles.role(
            stringify!($role),
            ::std::vec::Vec::<$crate::node::HostDef>::from([$($crate::define::host_of(&$host)),*]),
        ), $($($rest)*)?)
    };
    (@to $roles:expr, $role:ident: $hosts:expr $(, $($rest:tt)*)?) => {
        $crate::roles!(@to $roles.role(stringify!($role), $crate::define::hosts_of(&$hosts)), $($($rest)*)?)
    };
    ($($roles:tt)*) => { $crate::roles!(@to $crate::node::Roles::new(), $($roles)*) };
}

/// Roles made of the parent's (rows D-01..D-06): `map_roles! { host: ["www", "queue"], master: "db", every: AllHosts }`.
#[macro_export]
macro_rules! map_roles {
    ($($role:ident: $from:expr),* $(,)?) => {
        $crate::node::RoleMapping(::std::vec![
            $((stringify!($role).to_string(), $crate::define::MapSource::map_from($from))),*
        ])
    };
}

/// The arguments of a call: `env.call("checkout", args!["main", 3]).await?`.
#[macro_export]
macro_rules! args {
    ($($value:expr),* $(,)?) => {
        ::std::vec::Vec::<$crate::Value>::from([$($crate::Value::from($value)),*])
    };
}

/// A query, as in a deployment file (rows G-01..G-07): `q!(parent.branch)`, `q!(parent("WebSystem").name)`,
/// `q!(settings["port"])`, `q!(describe("short"))`; `q!()` is the node itself. The rest is done with the operators of
/// [`define::Q`](crate::define::Q): `q!(name) + "-" + q!(parent.name)`.
#[macro_export]
macro_rules! q {
    (@step $q:expr, ) => { $q };
    (@step $q:expr, .parent($class:literal) $($rest:tt)*) => { $crate::q!(@step $q.parent_named($class), $($rest)*) };
    (@step $q:expr, .$name:ident $($rest:tt)*) => { $crate::q!(@step $q.attribute(stringify!($name)), $($rest)*) };
    (@step $q:expr, [$key:expr] $($rest:tt)*) => { $crate::q!(@step $q.item($key), $($rest)*) };
    (@step $q:expr, ($($argument:expr),* $(,)?) $($rest:tt)*) => {
        $crate::q!(@step $q.call([$($crate::define::Q::from($argument)),*]), $($rest)*)
    };
    () => { $crate::define::Q::node() };
    ($name:ident $($steps:tt)*) => { $crate::q!(@step $crate::define::Q::node(), .$name $($steps)*) };
    ([$key:expr] $($steps:tt)*) => { $crate::q!(@step $crate::define::Q::node(), [$key] $($steps)*) };
}
