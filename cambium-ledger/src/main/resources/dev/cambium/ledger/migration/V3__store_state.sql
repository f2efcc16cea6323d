-- What this database is to its ecosystem. No row, the usual case: it holds the ledger.

create table store_state (
  id    integer     not null primary key,  -- always 1
  state varchar(20) not null,              -- INCOMING: a move into it is not done; MOVED: it is elsewhere
  peer  text        not null               -- the other store of the move, as its address is written
);
