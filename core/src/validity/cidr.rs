//! Addresses and ranges of them. Source: `ParseCIDRSloppy` of `k8s.io/utils/net`: as Go reads them, and with
//! leading zeros.

use std::net::{IpAddr, Ipv6Addr};

/// A range of addresses of either family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    /// In the bits of its family.
    address: u128,
    bits: u32,
    prefix: u32,
}

impl Range {
    /// Reads `10.0.0.0/8` or `fd00::/8`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = text.split_once('/')?;
        let (address, bits) = match v4(address) {
            Some(address) => (u128::from(address), 32),
            None => (address.parse::<Ipv6Addr>().ok()?.to_bits(), 128),
        };
        let is_number = !prefix.is_empty() && prefix.bytes().all(|b| b.is_ascii_digit());
        let prefix = prefix.parse().ok().filter(|prefix| is_number && *prefix <= bits)?;
        Some(Self { address, bits, prefix })
    }

    /// Whether another range is a part of this one, and not all of it.
    pub(super) fn is_more_than(&self, part: &Self) -> bool {
        let network = |range: &Self| range.address.checked_shr(range.bits - self.prefix).unwrap_or(0);
        self.bits == part.bits && part.prefix > self.prefix && network(self) == network(part)
    }
}

/// An address of either family, without zone.
pub(super) fn address(text: &str) -> Option<IpAddr> {
    v4(text).map(|bits| IpAddr::V4(bits.into())).or_else(|| Some(IpAddr::V6(text.parse().ok()?)))
}

fn v4(text: &str) -> Option<u32> {
    let mut parts = text.split('.');
    let mut address = 0;
    for _ in 0..4 {
        let part = parts.next().filter(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))?;
        address = address << 8 | part.parse::<u32>().ok().filter(|part| *part < 256)?;
    }
    parts.next().is_none().then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_the_api_server_reads_them() {
        for good in
            ["10.0.0.0/8", "0.0.0.0/0", "10.1.2.3/32", "010.000.0.1/8", "::/0", "fd00::1/128", "::ffff:10.0.0.0/104"]
        {
            assert!(Range::parse(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "10.0.0.0",
            "10.0.0.0/33",
            "10.0.0/8",
            "10.0.0.256/8",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "fd00::/129",
            "a/8",
            "fe80::1%eth0/64",
        ] {
            assert!(Range::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_part_lies_within_and_is_smaller() {
        let is_more = |all: &str, part: &str| Range::parse(all).unwrap().is_more_than(&Range::parse(part).unwrap());
        assert!(
            is_more("10.0.0.0/8", "10.1.0.0/16") && is_more("0.0.0.0/0", "10.0.0.0/8") && is_more("::/0", "fd00::/8")
        );
        assert!(!is_more("10.0.0.0/8", "11.0.0.0/16") && !is_more("10.0.0.0/8", "10.0.0.0/8"));
        assert!(!is_more("10.1.0.0/16", "10.0.0.0/8") && !is_more("0.0.0.0/0", "fd00::/8"));
    }
}
