-- What was kept aside can be tried again: as what it came (null: a JSON event), and where its loss was counted.
alter table poison add column meta text;
alter table poison add column hour {bigint};
alter table poison add column category text;
alter table poison add column retrying {bigint} not null default 0;
