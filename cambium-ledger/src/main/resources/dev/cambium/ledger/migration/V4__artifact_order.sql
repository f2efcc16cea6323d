-- The artifacts that a record names, beside each other, so that they are written where the last ones
-- were. (By digest, every new row went to a page of its own.)

create table artifact_by_record (
  digest     varchar(64) not null,
  record_idx bigint      not null references log_record (idx),
  primary key (record_idx, digest)
);
insert into artifact_by_record (digest, record_idx)
  select digest, record_idx from artifact order by record_idx, digest;
drop table artifact;
alter table artifact_by_record rename to artifact;
