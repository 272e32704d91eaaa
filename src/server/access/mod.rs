//! Who may do what with which repository.
