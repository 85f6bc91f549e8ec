-- The schemas of the three services and a login role for each, which sees its own schema alone.
-- `doudi migrate` runs this as the owner of the database and then gives each role a password, unless the address that
-- it has for the role already works. Where the owner may not make roles, an administrator makes the three beforehand:
--   create role doudi_eligibility login password '…';  and so on for doudi_monitoring and doudi_payments
-- and DOUDI_ELIGIBILITY_DATABASE_URL and so on are given to `doudi migrate`. It may be run again at any time.
do $$
declare
  service text;
begin
  foreach service in array array['eligibility', 'monitoring', 'payments'] loop
    if not exists (select from pg_roles where rolname = 'doudi_' || service) then
      execute format('create role %I nologin', 'doudi_' || service);
    end if;
    if not exists (select from pg_namespace where nspname = service) then
      execute format('create schema %I', service);
    end if;
    execute format('revoke all on schema %I from public', service);
    execute format('grant usage on schema %I to %I', service, 'doudi_' || service);
  end loop;
end
$$;
revoke create on schema public from public;
