-- The versions that one was merged from, beside the one that it is built on.

create table version_source (
  line          varchar(63) not null,
  number        integer     not null,
  source_line   varchar(63) not null,
  source_number integer     not null,
  record_idx    bigint      not null references log_record (idx),
  primary key (line, number, source_line, source_number),
  foreign key (line, number) references version (line, number),
  foreign key (source_line, source_number) references version (line, number)
);
create index version_source_of on version_source (source_line, source_number);
