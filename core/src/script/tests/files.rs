//! Files of hosts, from a deployment file, on the local host.

use super::said;

/// Runs `body` with `h`, a host, and `dir`, a fresh directory.
async fn done(body: &str) -> String {
    let here = tempfile::tempdir().unwrap();
    let dir = here.path().display();
    let snippet = format!(
        "local dir, quiet = '{dir}', {{ interactive = false }}
        local A = Node {{ Hosts = {{ a = LocalHost }} }}
        function A:go() local h = self.hosts[1] {body} end return A"
    );
    said(&snippet, "go").await.replace(&dir.to_string(), "DIR")
}

/// rows: F-42 F-44 F-45 F-46 F-47 F-48 F-49 F-50 F-51 F-52 F-53 F-57 F-80 F-81 F-86
#[tokio::test]
async fn files_are_opened_asked_about_and_transferred() {
    let cases = [
        (
            "h:open(dir .. '/f', 'w', function(f) f:write('one\\ntwo\\n') f:write('\\0\\255') end)
             return h:open(dir .. '/f', function(f) return f:readline(), f:read(2), #f:read(), f:read(), f:readline() end)",
            "one\n, tw, 4, , ",
        ),
        (
            "do local f <close> = h:open(dir .. '/f', 'w') f:write('x') end
             local all = '' for line in h:open(dir .. '/f'):lines() do all = all .. line end return all",
            "x",
        ),
        (
            "h:open(dir .. '/f', 'w', { mode = '600' }, function(f) f:write('old') end)
             pcall(function() h:open(dir .. '/f', 'w', function(f) f:write('new') error('no') end) end)
             pcall(function() local f <close> = h:open(dir .. '/f', 'w') f:write('new') error('no') end)
             h:open(dir .. '/f', 'a', function(f) f:write('er') end)
             return h:open(dir .. '/f'):read(), h:stat(dir .. '/f').mode",
            "older, 600",
        ),
        ("local f = h:open(dir .. '/f', 'w') f:write(h:run('printf x', quiet)) f:close() f:close() return f:read()", "cannot read"),
        ("local f = h:open(dir .. '/f', 'w') return f:read()", "cannot read DIR/f: it was opened for writing"),
        ("local ok, e = pcall(h.open, h, dir .. '/no') return ok, e.kind, e.path, e.reason", "false, file, DIR/no, no such file or directory"),
        (
            "h:cd(dir, function() h:open('a b', 'w', function(f) f:write('12') end) end)
             h:cd(dir, function() h:get_file('a b', dir .. '/c') h:put_file(dir .. '/c', 'd', { preserve = true }) end)
             local s = h:stat(dir .. '/d') return s.name, s.size, s.is_file, s.is_dir, table.concat(h:listdir(dir), '|')",
            "d, 2, true, false, a b|c|d",
        ),
        (
            "h:run('mkdir -p ' .. dir .. '/t/u && ln -s u ' .. dir .. '/t/l', quiet)
             h:put_file(dir .. '/t', dir .. '/v', { recursive = true })
             local e = h:listdir_stat(dir .. '/v') return #e, e[1].name, e[1].is_symlink, e[2].is_dir, h:lstat(dir .. '/v/l').is_symlink",
            "2, l, true, true, true",
        ),
        ("return h:cd(dir, function() return h:expand_path('x'), h:listdir()[1] end)", "DIR/x, nil"),
        ("return h:expand_path('~/x') == h:get_home_directory() .. '/x'", "true"),
        ("return h:get_ip_address(), h:hostname() == h:run('uname -n', quiet).text, type(h:is_64_bit())", "127.0.0.1, true, boolean"),
        ("return self.hosts:put_file('a', 'b')", "'put_file' is for one host, as in `self.hosts[1]:put_file(...)`"),
        ("return h:open(dir .. '/f', 'x')", "the mode of open is \"r\", \"w\" or \"a\", got \"x\""),
        ("return h:open(dir .. '/f', 'w', { mode = '999' })", "mode must be octal digits as in \"640\", got \"999\""),
        (
            "return h:put_file('a', 'b', { resume = true })",
            "put_file does not go on with half a transfer: it begins anew, and the file takes its name when it is whole",
        ),
        ("return h:put_file('a', 'b', { recursiv = true })", "put_file has no option 'recursiv'; did you mean 'recursive'?"),
        ("return h:open(3)", "a path of open must be text, got a number"),
        ("return h:open(dir .. '/f', 'w', 'x')", "the options of open are a table, got text"),
        ("local f = h:open(dir .. '/f', 'w') return f:write({})", "what is written must be text, got a table"),
        ("local f = h:open(dir .. '/f', 'w') return f.wite", "has no 'wite'; did you mean 'write'?"),
        ("return h:get_file(dir .. '/none', dir .. '/x')", "cannot read DIR/none: no such file or directory"),
    ];
    let mut wrong = Vec::new();
    for (body, expected) in cases {
        let said = done(body).await;
        if said != expected && !(expected.contains(' ') && said.contains(expected)) {
            wrong.push(format!("{body}\n  expected: {expected}\n  got:      {said}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
