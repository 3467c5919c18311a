//! Numbers of the telnet protocol (RFC 854, 856 to 858, 1073, 1091, 1184).

/// Interpret as command.
pub(super) const IAC: u8 = 255;
/// Please do not; I know that you will not.
pub(super) const DONT: u8 = 254;
/// Please do; I know that you will.
pub(super) const DO: u8 = 253;
/// I will not.
pub(super) const WONT: u8 = 252;
/// I will.
pub(super) const WILL: u8 = 251;
/// A subnegotiation begins.
pub(super) const SB: u8 = 250;
/// Erase line.
pub(super) const EL: u8 = 248;
/// Erase character.
pub(super) const EC: u8 = 247;
/// Are you there?
pub(super) const AYT: u8 = 246;
/// Interrupt process.
pub(super) const IP: u8 = 244;
/// Break.
pub(super) const BRK: u8 = 243;
/// A subnegotiation ends.
pub(super) const SE: u8 = 240;
/// The quit key (RFC 1184).
pub(super) const ABORT: u8 = 238;
/// The suspend key (RFC 1184).
pub(super) const SUSP: u8 = 237;
/// The end-of-file key (RFC 1184).
pub(super) const EOF: u8 = 236;

/// Eight bits as they are (RFC 856).
pub(super) const BINARY: u8 = 0;
/// Who shows what is typed (RFC 857).
pub(super) const ECHO: u8 = 1;
/// No turns: both may send at any time (RFC 858).
pub(super) const SUPPRESS_GO_AHEAD: u8 = 3;
/// The name of the terminal (RFC 1091).
pub(super) const TERMINAL_TYPE: u8 = 24;
/// The size of the window (RFC 1073).
pub(super) const WINDOW_SIZE: u8 = 31;

/// In a subnegotiation of the terminal type: it is this.
pub(super) const IS: u8 = 0;
/// In a subnegotiation of the terminal type: please send it.
pub(super) const SEND: u8 = 1;
