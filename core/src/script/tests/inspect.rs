//! Inspectors, walks and filters in scripts.

use super::said;

/// A tree, and the words for looking at it; each body is an action of its root.
async fn tells(body: &str) -> String {
    let tree = "local f = d.filters
        --- Shows a place.
        local Place = Node 'Place' { place = property(function(self) return tostring(self) end), q = Q.place, _hidden = Node {} }
        --- Says where it is.
        --- At length.
        function Place:show(x, ...) return self.place end
        Place._secret = d.suppress_action_result(function() end)
        local Web = ParallelNode 'Web' {}
        function Web:show() return self.host.slug end
        local R = Node 'R' { Hosts = { host = { h1, h2 } },
          a = Place { _p = Node 'P' { deep = Node 'Deep' {} } }, b = d.groups.production(Place { v = 1 }), web = Web.Array {},
          one = Web.JustOne { Hosts = { host = h1 } } }
        function R:__call() end
        local function names(list) local t = {} for i, e in ipairs(list) do
          t[i] = tostring(e):match('^<') and e.name or d.Inspector(e):get_name() end
          return table.concat(t, ' ') end
        local function walked(walk) local t = {} for node in walk do t[#t + 1] = tostring(node) end
          return (table.concat(t, ' '):gsub('Env', '')) end
        function R:go() local i = d.Inspector(self)\n";
    said(&format!("{tree}{body}\nend return R"), "go").await
}

async fn all(cases: &[(&str, &str)]) {
    let mut wrong = Vec::new();
    for (body, expected) in cases {
        let said = tells(body).await;
        if said != *expected {
            wrong.push(format!("{body}\n  expected: {expected}\n  got:      {said}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

// rows: H-01 H-02 H-03 H-04 H-05 H-06 H-07 H-08 H-09 H-16 E-25 E-26 U-28
#[tokio::test]
async fn an_inspector_lists_what_a_node_has() {
    all(&[
        ("return tostring(i), tostring(d.Inspector(self.a))", "Inspector(node=R), Inspector(node=a)"),
        ("return names(i:get_childnodes())", "a b web one"),
        ("return names(d.Inspector(self.a):get_childnodes())", "_hidden _p"),
        ("return names(d.Inspector(self.a):get_childnodes { include_private = false })", ""),
        ("return i:get_childnode('a'), i:has_childnode('a'), i:has_childnode('_p')", "Env(R.a), true, false"),
        ("return i:get_childnode('x')", "R: no child 'x' (children: a, b, web, one)"),
        ("return names(i:get_actions()), i:has_action('go'), i:has_action('a')", "go, true, false"),
        ("return names(d.Inspector(self.a):get_actions())", "show _secret"),
        ("return names(d.Inspector(self.a):get_actions { include_private = false })", "show"),
        ("return tostring(d.Inspector(self.a):get_action('show'))", "<Env.Action R.a.show>"),
        ("return d.Inspector(self.a):get_action('show')('x')", "Env(R.a)"),
        ("return i:get_action('show')", "R: no action 'show'"),
        (
            "local e = d.Inspector(self.a):get_action('show') return e.kind, e.doc, e.parameters, e.node, e.group, e.required",
            "action, Says where it is.\nAt length., [[x], ...], Env(R.a), nil, false",
        ),
        ("return d.Inspector(self.b):get_action('show').group.name", "Production"),
        ("return (d.Inspector(self.b):get_action('show').position:match(':%d+$'))", ":6"),
        ("return i:get_action('go').xyzzy", "a member of a node has no 'xyzzy'; there is: name, kind, node, doc, \
          parameters, suppress_result, required, group, position"),
        ("return names(d.Inspector(self.a):get_properties()), names(d.Inspector(self.web):get_properties())", "place, host"),
        ("local p = d.Inspector(self.a):get_property('place') return tostring(p), p()", "<Env.Property R.a.place>, Env(R.a)"),
        ("return names(d.Inspector(self.a):get_queries()), d.Inspector(self.a):get_query('q')()", "q, Env(R.a)"),
        ("local s = d.Inspector(self.a) return s:has_query('q'), s:has_query('place'), s:has_property('place')", "true, false, true"),
        ("local s = d.Inspector(self.a) return s:suppress_result_for_action('_secret'), s:suppress_result_for_action('show')", "true, false"),
        ("return i:suppress_result_for_action('nope')", "R: no action 'nope'"),
        ("return i:is_callable(), d.Inspector(self.a):is_callable()", "true, false"),
        ("return d.Inspector(Place)", "an inspector looks at a node, got a node class: place it first, as in `self:initialize_node(Class)`"),
        ("return d.Inspector('x')", "an inspector looks at a node, got text"),
        ("return i.get_actions()", "get_actions needs an inspector in front, as in `Inspector(node):get_actions(...)`; got nothing"),
        ("return i:get_acions()", "an inspector has no 'get_acions'; did you mean 'get_actions'?"),
        ("return i:get_actions { private = true }", "get_actions has no option 'private'; there is: include_private"),
    ])
    .await;
}

// rows: H-10 H-11 H-13 H-14 H-15 H-17 H-27 C-33
#[tokio::test]
async fn an_inspector_knows_where_a_node_is() {
    all(&[
        ("return i:get_name(), d.Inspector(self.a):get_name()", "R, a"),
        ("return d.Inspector(self.a._p.deep):get_path()", "[R, a, _p, deep]"),
        ("return d.Inspector(self.web[2]):get_path()", "[R, web]"),
        ("return d.Inspector(self.web[2]):get_path { style = 'nodes' }", "[Env(R), Env(R.web[h2])]"),
        ("return d.Inspector(self.a):get_path { style = 'both' }", "[{name: R, node: Env(R)}, {name: a, node: Env(R.a)}]"),
        ("return i:get_path { style = 'x' }", "style must be \"names\", \"nodes\" or \"both\", got \"x\""),
        ("return d.Inspector(self.a._p):get_root(), d.Inspector(self.a._p):get_parent(), i:get_parent()", "Env(R), Env(R.a), nil"),
        ("return i:get_group(), d.Inspector(self.b._hidden):get_group() == d.groups.production", "nil, true"),
        ("return d.Inspector(self.b):get_group().color, tostring(d.groups.production)", "red, <group Production>"),
        ("return i:is_isolated(), d.Inspector(self.web):is_isolated()", "true, false"),
        ("return d.Inspector(self.web):get_isolations()", "[{key: [h1], node: Env(R.web[h1])}, {key: [h2], node: Env(R.web[h2])}]"),
        ("return d.Inspector(self.web):get_isolations({ style = 'index' })[2].key", "[2]"),
        ("return d.Inspector(self.web):get_isolation('h2'), d.Inspector(self.web):get_isolation(1)", "Env(R.web[h2]), Env(R.web[h1])"),
        ("return d.Inspector(self.web):get_isolation('h3')", "R.web: no cell 'h3' (cells: h1, h2)"),
        ("return d.Inspector(self.web[2]):get_isolation_identifier(), d.Inspector(self.web[2]):get_isolation_identifier { style = 'index' }", "[h2], [2]"),
        ("return d.Inspector(self.web[2]):get_isolation_identifier({ style = 'host' })[1] == h2", "true"),
        ("return d.Inspector(self.a):trace_query('q')", "[{query: Q, value: Env(R.a)}, {query: Q.place, value: Env(R.a)}]"),
        ("return d.Inspector(self.a):trace_query('place')", "R.a: no query 'place'"),
    ])
    .await;
}

// rows: H-18 H-19 H-20 H-21 H-22 H-23 H-24 H-25 H-26 J-04 U-29 U-30 U-31
#[tokio::test]
async fn a_walk_gives_the_nodes_that_a_filter_wants() {
    all(&[
        (
            "return walked(i:walk())",
            "(R) (R.a) (R.b) (R.web) (R.one) (R.a._hidden) (R.a._p) (R.b._hidden) (R.a._p.deep)",
        ),
        ("local w = i:walk() return #w, w[2], w[10], walked(w) == walked(w)", "9, Env(R.a), nil, true"),
        ("local n, w = 0, i:walk() for a in w do for b in w do n = n + 1 end end return n", "81"),
        ("return walked(i:walk(f.HasAction('show')))", "(R.a) (R.b) (R.web) (R.one)"),
        ("return walked(i:walk(f.HasAction('show') & f.PublicOnly & ~f.InGroup(d.groups.production)))", "(R.a) (R.web) (R.one)"),
        ("return tostring(f.HasAction('show') & f.PublicOnly & ~f.InGroup(d.groups.staging))", "((HasAction(\"show\") & PublicOnly) & ~InGroup(Staging))"),
        ("return tostring(f.PrivateOnly | f.IsInstance(Place))", "(PrivateOnly | IsInstance(Place))"),
        ("return walked(i:walk(f.PrivateOnly))", "(R.a._hidden) (R.a._p) (R.b._hidden)"),
        ("return walked(i:walk(f.InGroup(d.groups.production)))", "(R.b) (R.b._hidden)"),
        ("return walked(i:walk(f.IsInstance(Place))), walked(i:walk(f.IsInstance(Web)))", "(R.a) (R.b), (R.web) (R.one)"),
        ("return walked(i:walk():filter(f.HasAction('show')):filter(f.IsInstance(Web)))", "(R.web) (R.one)"),
        ("return walked(i:walk(f.IsInstance(Web)):prefer_isolation(2))", "(R.web[h2]) (R.one)"),
        (
            "local t = {} for cell, slug in i:walk(f.IsInstance(Web)):call_action('show') do t[#t + 1] = slug end return t",
            "[h1, h2, h1]",
        ),
        (
            "local t = {} for cell, x in i:walk(f.IsInstance(Place)):call_action('_secret') do t[#t + 1] = tostring(cell) end return t",
            "[Env(R.a), Env(R.b)]",
        ),
        ("for _ in i:walk():call_action('show') do end", "R: no attribute 'show'; there is: a, b, web, one, go, hosts, parent, console, cells, initialize_node"),
        ("return i:walk('x')", "a filter was expected, as in `filters.HasAction(\"start\") & filters.PublicOnly`; got text"),
        ("return f.HasAction('x') & 3", "a filter was expected, as in `filters.HasAction(\"start\") & filters.PublicOnly`; got a number"),
        ("return f.HasActions", "deployer.filters has no 'HasActions'; did you mean 'HasAction'?"),
        ("return f.IsInstance(self)", "IsInstance takes a node class, got a node"),
        ("return f.InGroup('x')", "InGroup takes a group, got text"),
        ("return i:walk():fitler(f.PublicOnly)", "a walk has no 'fitler'; did you mean 'filter'?"),
    ])
    .await;
}

/// What keeps a deployment file loaded is nobody's business.
#[tokio::test]
async fn the_keeper_of_the_file_is_hidden() {
    let root = super::load("return Node { v = 1, C = Node {} }").unwrap();
    let shown: Vec<String> = crate::inspect::Inspector::new(&root)
        .entries(crate::inspect::Scope::All)
        .iter()
        .map(|entry| entry.name().to_string())
        .collect();
    assert_eq!(shown, ["v"]);
}
