-- The two roles of design 4: the owner makes and changes tables, the gateway's
-- role only trades. Embedded servers only; elsewhere an administrator makes them.
do $$
begin
    if not exists (select from pg_roles where rolname = 'scrip_owner') then
        create role scrip_owner login createrole;
    end if;
    if not exists (select from pg_roles where rolname = 'scrip_gateway') then
        create role scrip_gateway login;
    end if;
end
$$;
