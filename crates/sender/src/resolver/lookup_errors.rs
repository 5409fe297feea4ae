//! Errors of look-ups, in words of ours.

use std::{
    io,
    net::{Ipv4Addr, UdpSocket},
};

use hickory_resolver::{
    net::{DnsError, NetError},
    proto::op::ResponseCode,
};

use crate::resource_exhaustion;

/// Why a look-up failed, in words of ours. What this machine lacked for it is an error of the operating system.
pub(crate) fn lookup_error(error: &NetError) -> io::Error {
    if let NetError::Io(error) = error
        && resource_exhaustion::exhausted_resource(error).is_some()
        && let Some(code) = error.raw_os_error()
    {
        return io::Error::from_raw_os_error(code);
    }
    // The resolver says less than that of what it could not do.
    if let Err(error) = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))
        && resource_exhaustion::exhausted_resource(&error).is_some()
    {
        return error;
    }
    io::Error::other(match error {
        NetError::Timeout => "no name server answered in time",
        NetError::Dns(DnsError::ResponseCode(ResponseCode::ServFail)) => {
            "the name server failed (SERVFAIL); the domain's own name servers may be down or broken"
        }
        NetError::Dns(DnsError::ResponseCode(ResponseCode::Refused)) => "the name server refuses to answer",
        NetError::Dns(_) => "the name server answered with an error",
        NetError::Io(_) | NetError::NoConnections => "no name server can be reached",
        NetError::Busy => "the name servers are busy",
        _ => "the name server's answer cannot be used",
    })
}
