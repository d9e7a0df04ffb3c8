//! `inet` and `cidr`: family, netmask bits, whether it is a `cidr`, address.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::Unwritable;

const IPV4: u8 = 2;
const IPV6: u8 = 3;

/// The address as PostgreSQL prints it: an `inet` without the netmask of a host, a `cidr` always with it.
pub(super) fn write(cell: &[u8], out: &mut Vec<u8>) -> Result<(), Unwritable> {
    let (&[family, bits, is_cidr, length], address) =
        cell.split_first_chunk::<4>().ok_or("an address is missing")?;
    let (text, host) = match (family, length) {
        (IPV4, 4) => (Ipv4Addr::from(to_array::<4>(address)?).to_string(), 32),
        (IPV6, 16) => (ipv6(Ipv6Addr::from(to_array::<16>(address)?)), 128),
        _ => return Err("an address of an unknown family".into()),
    };
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    if is_cidr != 0 || bits != host {
        out.push(b'/');
        plectrum_json::number::write_i32(out, bits.into());
    }
    out.push(b'"');
    Ok(())
}

fn to_array<const N: usize>(address: &[u8]) -> Result<[u8; N], Unwritable> {
    address.try_into().map_err(|_| "an address of the wrong length".into())
}

/// PostgreSQL writes IPv4-compatible addresses (`::1.2.3.4`) dotted; the standard library only the mapped ones.
fn ipv6(address: Ipv6Addr) -> String {
    match address.segments() {
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => {
            let [[a, b], [c, d]] = [high.to_be_bytes(), low.to_be_bytes()];
            format!("::{a}.{b}.{c}.{d}")
        }
        _ => address.to_string(),
    }
}
