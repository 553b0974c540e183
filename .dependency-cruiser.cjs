/**
 * The boundaries of design.md §2, each with its reason. `./skyrun check` runs them.
 */
const service = '^(services/[^/]+|gateway|billing|workload|cli|client)/';
const one = (name, from, to, comment) => ({ name, severity: 'error', comment, from, to });
const door = (npm, from, comment) =>
  one(`door-${npm.replace(/\W/g, '-')}`, { pathNot: from }, { path: `^node_modules/${npm}/` }, comment);

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    one('no-cycle', {}, { circular: true }, 'A cycle means that neither part can be understood or changed alone.'),
    one(
      'contracts-are-pure',
      { path: '^shared/contracts/', pathNot: '\\.test\\.ts$' },
      { pathNot: ['^shared/contracts/', '^node_modules/zod/'] },
      'Everybody imports contracts, so contracts may drag nothing in: the schema library only, no I/O.',
    ),
    one(
      'kit-knows-contracts-only',
      { path: '^shared/kit/' },
      {
        path: '^(shared/(?!kit/|contracts/)|services/|gateway/|billing/|workload/|client/|cli/|launcher/|ui/|testing/)',
      },
      'kit is below every service; looking up would make a cycle of packages.',
    ),
    one(
      'postgres-and-bus-know-kit-and-contracts',
      { path: '^shared/(postgres|bus)/', pathNot: '\\.(test|itest)\\.ts$|/bench' },
      { path: '^(services/|gateway/|billing/|workload/|client/|cli/|launcher/|ui/|testing/)' },
      'The two adapters serve every service and know none.',
    ),
    one(
      'gateways-load-the-small-kit',
      { path: '^(gateway|shared/bus)/', pathNot: '\\.(test|itest|e2e)\\.ts$|/bench|/harness/|/conformance/|/metrics' },
      { path: '^shared/kit/index\\.ts$', dependencyTypesNot: ['type-only'] },
      'kit/base is enough for a gateway; the whole kit loads the HTTP framework and more, 25 MiB in every gateway process.',
    ),
    one(
      'postgres-and-bus-do-not-meet',
      { path: '^shared/bus/', pathNot: '\\.(test|itest)\\.ts$|/bench' },
      { path: '^shared/postgres/' },
      'The bus must work without a database; the outbox in postgres takes the bus as an argument.',
    ),
    one(
      'services-never-import-each-other',
      { path: service, pathNot: ['\\.(test|itest|e2e)\\.ts$|/bench', '^cli/'] },
      { path: service, pathNot: ['^$1/', '^client/'] },
      'Services meet on events and HTTP schemas only; otherwise they cannot run, change or fail apart.',
    ),
    one(
      'the-cli-uses-the-load-generator-and-no-service',
      { path: '^cli/' },
      { path: service, pathNot: ['^cli/', '^workload/'] },
      'The command line is a client like any other; only `skyrun load` runs in the person’s own process.',
    ),
    one(
      'only-the-launcher-composes',
      { pathNot: '^(launcher|testing)/|\\.(test|itest|e2e|fixture)\\.ts$|/bench' },
      { path: '^(launcher|testing)/' },
      'The composition root names everybody, so nobody may name it.',
    ),
    one(
      'ui-knows-contracts-only',
      { path: '^ui/' },
      { path: '^(shared/(?!contracts/)|services/|gateway/|billing/|workload/|client/|cli/|launcher/)' },
      'The browser gets schemas, never server code.',
    ),
    door(
      'dockerode',
      '^services/orchestrator/runtime/|\\.itest\\.ts$|/bench|^testing/',
      'One door to the engine: everything else speaks of instances.',
    ),
    door(
      '(pg|kysely)',
      '^shared/postgres/|/store[^/]*\\.ts$|/store/|/tables\\.ts$|\\.(itest|e2e)\\.ts$|^client/examples/|/bench|^testing/',
      'One door to PostgreSQL: pools, transactions and migrations are made once; stores may use the query builder.',
    ),
    door('amqplib', '^shared/bus/', 'One door to RabbitMQ.'),
    door('ioredis', '^shared/bus/|^gateway/limit/', 'Redis clients live in the Redis bus and the rate limiter.'),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
