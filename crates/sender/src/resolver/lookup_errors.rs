//! The errors of name lookups, in words that a servicer understands.
//!
//! They stand in the detail of a failure, after "the name … does not resolve:".

use std::{
    io,
    net::{Ipv4Addr, UdpSocket},
};

use hickory_resolver::{
    net::{DnsError, NetError},
    proto::op::ResponseCode,
};

use crate::resource_exhaustion;

/// Why a lookup failed. Where this machine lacked something, it is the error of the operating system.
pub(crate) fn lookup_error(error: &NetError) -> io::Error {
    if let NetError::Io(error) = error
        && resource_exhaustion::exhausted_resource(error).is_some()
        && let Some(code) = error.raw_os_error()
    {
        return io::Error::from_raw_os_error(code);
    }
    // hickory does not return the operating system's error where it could not open a socket, so one is opened here.
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
