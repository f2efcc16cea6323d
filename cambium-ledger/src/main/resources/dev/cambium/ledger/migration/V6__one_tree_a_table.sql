-- Every table in one tree: on SQLite a primary key of another type than integer, or of several
-- columns, is a second tree beside the table's own, and each commit writes a page of both. And of the
-- Merkle tree only every eighth level, from the eighth: what lies between follows from at most 256
-- hashes of the level below (the tiles of C2SP tlog-tiles).
--
-- ${index} is the type of a number that is a key, ${clustered} says that a table is its key's tree.

create table new_record (
  idx  ${index}    not null primary key,
  leaf text        not null,
  hash varchar(64) not null
);
create table new_node (
  level    integer     not null,
  position bigint      not null,
  hash     varchar(64) not null,
  primary key (level, position)
)${clustered};
create table new_checkpoint (
  size ${index} not null primary key,
  note text     not null
);
create table new_ecosystem (
  record_idx ${index} not null primary key references new_record (idx),
  name       text     not null
);
create table new_version (
  line          varchar(63) not null,
  number        integer     not null,
  manifest      varchar(64) not null,
  parent_line   varchar(63),
  parent_number integer,
  campaign      text,
  record_idx    bigint      not null references new_record (idx),
  primary key (line, number),
  foreign key (parent_line, parent_number) references new_version (line, number)
)${clustered};
create table new_version_data (
  line       varchar(63) not null,
  number     integer     not null,
  digest     varchar(64) not null,
  record_idx bigint      not null references new_record (idx),
  primary key (line, number, digest),
  foreign key (line, number) references new_version (line, number)
)${clustered};
create table new_version_source (
  line          varchar(63) not null,
  number        integer     not null,
  source_line   varchar(63) not null,
  source_number integer     not null,
  record_idx    bigint      not null references new_record (idx),
  primary key (line, number, source_line, source_number),
  foreign key (line, number) references new_version (line, number),
  foreign key (source_line, source_number) references new_version (line, number)
)${clustered};
create table new_campaign (
  campaign   varchar(255) not null primary key,
  opened_idx bigint       not null references new_record (idx),
  closed_idx bigint       references new_record (idx),
  outcome    varchar(20),
  record_idx bigint       not null references new_record (idx)
)${clustered};
create table new_signal (
  signal       varchar(255) not null primary key,
  line         varchar(63)  not null,
  received_idx bigint       not null references new_record (idx),
  campaign     varchar(255) references new_campaign (campaign),
  record_idx   bigint       not null references new_record (idx)
)${clustered};
create table new_decision (
  record_idx ${index}     not null primary key references new_record (idx),
  campaign   varchar(255) not null references new_campaign (campaign),
  point      text         not null
);
create table new_action (
  action     varchar(64) not null primary key,
  kind       varchar(40) not null,
  record_idx bigint      not null references new_record (idx)
)${clustered};
create table new_verdict (
  record_idx ${index}    not null primary key references new_record (idx),
  line       varchar(63) not null,
  number     integer     not null,
  decision   varchar(20) not null,
  evidence   varchar(64) not null,
  campaign   varchar(255) references new_campaign (campaign),
  foreign key (line, number) references new_version (line, number)
);
create table new_channel (
  line       varchar(63) not null,
  channel    varchar(20) not null,
  number     integer     not null,
  record_idx bigint      not null references new_record (idx),
  primary key (line, channel),
  foreign key (line, number) references new_version (line, number)
)${clustered};
create table new_channel_move (
  record_idx ${index}    not null primary key references new_record (idx),
  line       varchar(63) not null,
  channel    varchar(20) not null,
  number     integer     not null,
  foreign key (line, number) references new_version (line, number)
);
create table new_settlement (
  campaign   varchar(255) not null references new_campaign (campaign),
  line       varchar(63)  not null,
  settlement varchar(20)  not null,
  record_idx bigint       not null references new_record (idx),
  primary key (campaign, line)
)${clustered};
create table new_artifact (
  digest     varchar(64) not null,
  record_idx bigint      not null references new_record (idx),
  primary key (record_idx, digest)
)${clustered};
create table new_signing_key (
  record_idx ${index} not null primary key references new_record (idx),
  former     text     not null,
  verifier   text     not null
);

insert into new_record (idx, leaf, hash) select idx, leaf, hash from log_record order by idx;
insert into new_node (level, position, hash)
  select level, position, hash from log_node where level % 8 = 0 order by level, position;
insert into new_checkpoint (size, note) select size, note from log_checkpoint order by size;
insert into new_ecosystem (record_idx, name) select record_idx, name from ecosystem;
insert into new_version (line, number, manifest, parent_line, parent_number, campaign, record_idx)
  select line, number, manifest, parent_line, parent_number, campaign, record_idx
  from version order by record_idx;
insert into new_version_data (line, number, digest, record_idx)
  select line, number, digest, record_idx from version_data;
insert into new_version_source (line, number, source_line, source_number, record_idx)
  select line, number, source_line, source_number, record_idx from version_source;
insert into new_campaign (campaign, opened_idx, closed_idx, outcome, record_idx)
  select campaign, opened_idx, closed_idx, outcome, record_idx from campaign;
insert into new_signal (signal, line, received_idx, campaign, record_idx)
  select signal, line, received_idx, campaign, record_idx from signal;
insert into new_decision (record_idx, campaign, point)
  select record_idx, campaign, point from decision;
insert into new_action (action, kind, record_idx) select action, kind, record_idx from action;
insert into new_verdict (record_idx, line, number, decision, evidence, campaign)
  select record_idx, line, number, decision, evidence, campaign from verdict;
insert into new_channel (line, channel, number, record_idx)
  select line, channel, number, record_idx from channel;
insert into new_channel_move (record_idx, line, channel, number)
  select record_idx, line, channel, number from channel_move;
insert into new_settlement (campaign, line, settlement, record_idx)
  select campaign, line, settlement, record_idx from settlement;
insert into new_artifact (digest, record_idx)
  select digest, record_idx from artifact order by record_idx, digest;
insert into new_signing_key (record_idx, former, verifier)
  select record_idx, former, verifier from signing_key;

drop table signing_key;
drop table artifact;
drop table settlement;
drop table channel_move;
drop table channel;
drop table verdict;
drop table action;
drop table decision;
drop table signal;
drop table campaign;
drop table version_source;
drop table version_data;
drop table version;
drop table ecosystem;
drop table log_checkpoint;
drop table log_node;
drop table log_record;

alter table new_record rename to log_record;
alter table new_node rename to log_node;
alter table new_checkpoint rename to log_checkpoint;
alter table new_ecosystem rename to ecosystem;
alter table new_version rename to version;
alter table new_version_data rename to version_data;
alter table new_version_source rename to version_source;
alter table new_campaign rename to campaign;
alter table new_signal rename to signal;
alter table new_decision rename to decision;
alter table new_action rename to action;
alter table new_verdict rename to verdict;
alter table new_channel rename to channel;
alter table new_channel_move rename to channel_move;
alter table new_settlement rename to settlement;
alter table new_artifact rename to artifact;
alter table new_signing_key rename to signing_key;

create index version_manifest on version (manifest);
create index version_parent on version (parent_line, parent_number);
create index version_campaign on version (campaign);
create index version_data_digest on version_data (digest);
create index version_source_of on version_source (source_line, source_number);
create index signal_campaign on signal (campaign);
create index decision_campaign on decision (campaign);
create index action_kind on action (kind, record_idx);
create index verdict_version on verdict (line, number);
create index verdict_campaign on verdict (campaign);
create index channel_move_channel on channel_move (line, channel);
