//! Reading what `ifconfig` and `ip addr` print (rows K-04..K-09).

use std::fmt;

/// The interfaces of a host, in the order in which they were printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IfConfig {
    /// The interfaces.
    pub interfaces: Vec<NetworkInterface>,
}

/// One network interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkInterface {
    /// Its name, without a trailing colon.
    pub name: String,
    /// Its IPv4 address; the last one printed when there are several (row K-05).
    pub ip: Option<String>,
}

/// No interface of this name or address (rows K-07, K-08).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no network interface with {what} '{value}'; there are: {known}")]
pub struct NoSuchInterface {
    what: &'static str,
    value: String,
    known: String,
}

impl IfConfig {
    /// The interface with this name.
    ///
    /// # Errors
    /// [`NoSuchInterface`], naming those there are (row K-07).
    pub fn interface(&self, name: &str) -> Result<&NetworkInterface, NoSuchInterface> {
        self.find("name", name, |interface| interface.name == name)
    }

    /// The interface with this IPv4 address.
    ///
    /// # Errors
    /// [`NoSuchInterface`], naming those there are (row K-08).
    pub fn address(&self, ip: &str) -> Result<&NetworkInterface, NoSuchInterface> {
        self.find("address", ip, |interface| interface.ip.as_deref() == Some(ip))
    }

    fn find(
        &self,
        what: &'static str,
        value: &str,
        is_it: impl Fn(&NetworkInterface) -> bool,
    ) -> Result<&NetworkInterface, NoSuchInterface> {
        self.interfaces.iter().find(|interface| is_it(interface)).ok_or_else(|| NoSuchInterface {
            what,
            value: value.to_string(),
            known: self.interfaces.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        })
    }
}

/// Which interfaces to keep (row K-06).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// Those with an IPv4 address.
    #[default]
    Active,
    /// All.
    All,
}

/// Reads the output of net-tools, BSD or macOS `ifconfig`, or of `ip addr`. A line that does not start with white space opens
/// an interface (row K-04); only IPv4 is read. Lines that are neither are skipped.
///
/// ```
/// use deployer_core::network::{Keep, parse_ifconfig_output};
/// let found = parse_ifconfig_output("lo: flags=73<UP>\n    inet 127.0.0.1  netmask 255.0.0.0\n", Keep::Active);
/// assert_eq!(found.interface("lo").unwrap().ip.as_deref(), Some("127.0.0.1"));
/// ```
pub fn parse_ifconfig_output(output: &str, keep: Keep) -> IfConfig {
    let mut interfaces: Vec<NetworkInterface> = Vec::new();
    for line in output.lines() {
        if line.starts_with(char::is_whitespace) {
            if let (Some(interface), Some(ip)) = (interfaces.last_mut(), ipv4_of(line)) {
                interface.ip = Some(ip);
            }
        } else if let Some(name) = name_of(line) {
            interfaces.push(NetworkInterface { name, ip: None });
        }
    }
    if keep == Keep::Active {
        interfaces.retain(|interface| interface.ip.is_some());
    }
    IfConfig { interfaces }
}

/// `eth0      Link encap:...`, `eth0: flags=...`, or `2: eth0@if7: <...>` of `ip addr`.
fn name_of(line: &str) -> Option<String> {
    let mut words = line.split_whitespace();
    let first = words.next()?.trim_end_matches(':');
    let word = match first.bytes().all(|byte| byte.is_ascii_digit()) {
        true => words.next()?.trim_end_matches(':'),
        false => first,
    };
    let name = word.split('@').next().unwrap_or(word);
    (!name.is_empty()).then(|| name.to_string())
}

/// `inet 10.0.0.1 netmask ...`, `inet addr:10.0.0.1 ...`, `inet 10.0.0.1/24 ...`.
fn ipv4_of(line: &str) -> Option<String> {
    let mut words = line.split_whitespace();
    if words.next()? != "inet" {
        return None;
    }
    let word = words.next()?;
    let address = word.strip_prefix("addr:").unwrap_or(word).split('/').next()?;
    address.parse::<std::net::Ipv4Addr>().ok().map(|ip| ip.to_string())
}

/// `NetworkInterface(name='eth0', ip='10.0.0.1')` (row K-09).
impl fmt::Display for NetworkInterface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.ip {
            Some(ip) => write!(f, "NetworkInterface(name='{}', ip='{ip}')", self.name),
            None => write!(f, "NetworkInterface(name='{}', ip=none)", self.name),
        }
    }
}

/// `IfConfig(interfaces=2)` (row K-09).
impl fmt::Display for IfConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IfConfig(interfaces={})", self.interfaces.len())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const NET_TOOLS: &str = "\
eth0      Link encap:Ethernet  HWaddr 08:00:27:c5:40:eb
          inet addr:10.0.3.15  Bcast:10.0.3.255  Mask:255.255.255.0
          inet6 addr: fe80::a00:27ff:fec5:40eb/64 Scope:Link
          UP BROADCAST RUNNING MULTICAST  MTU:1500  Metric:1

eth1      Link encap:Ethernet  HWaddr 08:00:27:11:22:33
          UP BROADCAST MULTICAST  MTU:1500  Metric:1

lo        Link encap:Local Loopback
          inet addr:127.0.0.1  Mask:255.0.0.0
";

    const MACOS: &str = "\
lo0: flags=8049<UP,LOOPBACK,RUNNING,MULTICAST> mtu 16384
\tinet6 ::1 prefixlen 128
\tinet 127.0.0.1 netmask 0xff000000
gif0: flags=8010<POINTOPOINT,MULTICAST> mtu 1280
en0: flags=8863<UP,BROADCAST,SMART,RUNNING,SIMPLEX,MULTICAST> mtu 1500
\tether 14:10:9f:00:00:00
\tinet 192.168.0.10 netmask 0xffffff00 broadcast 192.168.0.255
\tinet 192.168.0.11 netmask 0xffffff00 broadcast 192.168.0.255
";

    const IP_ADDR: &str = "\
1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default qlen 1000
    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00
    inet 127.0.0.1/8 scope host lo
       valid_lft forever preferred_lft forever
7: eth0@if8: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default
    link/ether 02:42:ac:11:00:02 brd ff:ff:ff:ff:ff:ff link-netnsid 0
    inet 172.17.0.2/16 brd 172.17.255.255 scope global eth0
";

    fn pairs(output: &str, keep: Keep) -> Vec<(String, Option<String>)> {
        parse_ifconfig_output(output, keep).interfaces.into_iter().map(|i| (i.name, i.ip)).collect()
    }

    fn pair(name: &str, ip: &str) -> (String, Option<String>) {
        (name.to_string(), Some(ip.to_string()))
    }

    // rows: K-04 K-06
    #[test]
    fn net_tools_bsd_and_ip_formats_are_read() {
        assert_eq!(pairs(NET_TOOLS, Keep::Active), [pair("eth0", "10.0.3.15"), pair("lo", "127.0.0.1")]);
        assert_eq!(pairs(NET_TOOLS, Keep::All).len(), 3);
        assert_eq!(pairs(MACOS, Keep::Active), [pair("lo0", "127.0.0.1"), pair("en0", "192.168.0.11")]);
        assert_eq!(pairs(IP_ADDR, Keep::Active), [pair("lo", "127.0.0.1"), pair("eth0", "172.17.0.2")]);
    }

    // rows: K-05
    #[test]
    fn the_last_address_of_an_interface_wins() {
        let found = parse_ifconfig_output(MACOS, Keep::Active);
        assert_eq!(found.interface("en0").unwrap().ip.as_deref(), Some("192.168.0.11"));
    }

    // rows: K-07 K-08
    #[test]
    fn lookups_name_what_there_is_instead() {
        let found = parse_ifconfig_output(NET_TOOLS, Keep::Active);
        assert_eq!(found.address("10.0.3.15").unwrap().name, "eth0");
        let error = found.interface("eth9").unwrap_err().to_string();
        assert!(error.contains("no network interface with name 'eth9'"), "{error}");
        assert!(error.contains("name='eth0', ip='10.0.3.15'"), "{error}");
        assert!(found.address("10.9.9.9").is_err());
    }

    // rows: K-09
    #[test]
    fn text_forms() {
        let found = parse_ifconfig_output(NET_TOOLS, Keep::Active);
        assert_eq!(found.to_string(), "IfConfig(interfaces=2)");
        assert_eq!(found.interfaces[0].to_string(), "NetworkInterface(name='eth0', ip='10.0.3.15')");
    }

    #[test]
    fn nonsense_is_no_interface_and_no_panic() {
        assert_eq!(pairs("", Keep::All), []);
        assert_eq!(pairs("   inet 1.2.3.4\n1:\n@\n:\n", Keep::Active), []);
        assert_eq!(pairs("e: x\n inet addr:999.1.1.1\n inet\n", Keep::Active), []);
    }
}
