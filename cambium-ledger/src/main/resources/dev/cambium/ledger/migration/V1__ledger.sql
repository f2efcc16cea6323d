-- The log. Everything below it follows from it and can be made again from it.
-- Written to run unchanged on SQLite and PostgreSQL: digests as 64 hexadecimal digits, JSON as text.

create table log_record (
  idx  bigint      not null primary key,
  leaf text        not null,            -- canonical JSON of the record (RFC 8785)
  hash varchar(64) not null             -- RFC 6962 leaf hash of the UTF-8 bytes of leaf
);

create table log_node (
  level    integer     not null,        -- height of a complete subtree, from 1
  position bigint      not null,        -- its place on that level, from 0
  hash     varchar(64) not null,
  primary key (level, position)
);

create table log_checkpoint (
  size bigint not null primary key,     -- how many records it covers
  note text   not null                  -- signed note
);

-- Projections. record_idx names the record that last changed the row.

create table ecosystem (
  record_idx bigint not null primary key references log_record (idx),
  name       text   not null
);

create table version (
  line          varchar(63) not null,
  number        integer     not null,
  manifest      varchar(64) not null,
  parent_line   varchar(63),
  parent_number integer,
  campaign      text,
  record_idx    bigint      not null references log_record (idx),
  primary key (line, number),
  foreign key (parent_line, parent_number) references version (line, number)
);
create index version_manifest on version (manifest);
create index version_parent on version (parent_line, parent_number);
create index version_campaign on version (campaign);

create table version_data (
  line       varchar(63) not null,
  number     integer     not null,
  digest     varchar(64) not null,
  record_idx bigint      not null references log_record (idx),
  primary key (line, number, digest),
  foreign key (line, number) references version (line, number)
);
create index version_data_digest on version_data (digest);

create table campaign (
  campaign   varchar(255) not null primary key,
  opened_idx bigint       not null references log_record (idx),
  closed_idx bigint       references log_record (idx),
  outcome    varchar(20),
  record_idx bigint       not null references log_record (idx)
);

create table signal (
  signal       varchar(255) not null primary key,
  line         varchar(63)  not null,
  received_idx bigint       not null references log_record (idx),
  campaign     varchar(255) references campaign (campaign),
  record_idx   bigint       not null references log_record (idx)
);
create index signal_campaign on signal (campaign);

create table decision (
  record_idx bigint       not null primary key references log_record (idx),
  campaign   varchar(255) not null references campaign (campaign),
  point      text         not null
);
create index decision_campaign on decision (campaign);

create table action (
  action     varchar(64) not null primary key,
  kind       varchar(40) not null,
  record_idx bigint      not null references log_record (idx)
);
create index action_kind on action (kind, record_idx);

create table verdict (
  record_idx bigint       not null primary key references log_record (idx),
  line       varchar(63)  not null,
  number     integer      not null,
  decision   varchar(20)  not null,
  evidence   varchar(64)  not null,
  campaign   varchar(255) references campaign (campaign),
  foreign key (line, number) references version (line, number)
);
create index verdict_version on verdict (line, number);
create index verdict_campaign on verdict (campaign);

create table channel (
  line       varchar(63) not null,
  channel    varchar(20) not null,
  number     integer     not null,
  record_idx bigint      not null references log_record (idx),
  primary key (line, channel),
  foreign key (line, number) references version (line, number)
);

create table channel_move (
  record_idx bigint      not null primary key references log_record (idx),
  line       varchar(63) not null,
  channel    varchar(20) not null,
  number     integer     not null,
  foreign key (line, number) references version (line, number)
);
create index channel_move_channel on channel_move (line, channel);

create table settlement (
  campaign   varchar(255) not null references campaign (campaign),
  line       varchar(63)  not null,
  settlement varchar(20)  not null,
  record_idx bigint       not null references log_record (idx),
  primary key (campaign, line)
);

create table artifact (
  digest     varchar(64) not null,
  record_idx bigint      not null references log_record (idx),
  primary key (digest, record_idx)
);
create index artifact_record on artifact (record_idx);
