-- The schemas of the three services and a login role for each, which sees its own schema alone.
-- `doudi migrate` runs this as the owner and then gives each role a generated password. Where the owner may not make
-- roles, an administrator runs it once by hand:  psql "$DOUDI_DATABASE_URL" -f deploy/database/roles.sql
-- It may be run again at any time.
do $$
declare
  service text;
begin
  foreach service in array array['eligibility', 'monitoring', 'payments'] loop
    if not exists (select from pg_roles where rolname = 'doudi_' || service) then
      execute format('create role %I nologin', 'doudi_' || service);
    end if;
    execute format('create schema if not exists %I', service);
    execute format('revoke all on schema %I from public', service);
    execute format('grant usage on schema %I to %I', service, 'doudi_' || service);
  end loop;
end
$$;
revoke create on schema public from public;
