//! Tables of legitimate writes and their forgeries.
