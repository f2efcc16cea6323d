-- Which keys sign the log. The first one is named by the first rotation, as its former.

create table signing_key (
  record_idx bigint not null primary key references log_record (idx),
  former     text   not null,           -- verifier key of all checkpoints up to this record's
  verifier   text   not null            -- verifier key from this record's checkpoint on
);
