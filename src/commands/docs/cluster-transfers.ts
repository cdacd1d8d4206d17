/** Documents of the cluster commands that redis-server 7.0.15 does not have. */
export const CLUSTER_TRANSFER_DOCS: Readonly<Record<string, DocumentOfOurs>> = {
  'cluster|cancelslotmigrations': {
    summary: 'Cancels the slot migrations that this node is the source of.',
    since: '9.0.0',
    group: 'cluster',
    complexity: 'O(N), where N is the number of active slot migrations.',
  },
  'cluster|getslotmigrations': {
    summary: 'Tells of slot migrations under way and of those that ended lately.',
    since: '9.0.0',
    group: 'cluster',
    complexity: 'O(N), where N is the number of slot migrations.',
  },
  'cluster|migrateslots': {
    summary: 'Begins to move slots to other nodes, each block of ranges as a whole.',
    since: '9.0.0',
    group: 'cluster',
    complexity: 'O(N), where N is the number of slots.',
    arguments: [
      {
        name: 'migration',
        type: 'block',
        flags: ['multiple'],
        arguments: [
          {
            name: 'range',
            type: 'block',
            token: 'SLOTSRANGE',
            flags: ['multiple'],
            arguments: [
              { name: 'start-slot', type: 'integer', display_text: 'start-slot' },
              { name: 'end-slot', type: 'integer', display_text: 'end-slot' },
            ],
          },
          { name: 'node-id', type: 'string', token: 'NODE', display_text: 'node-id' },
        ],
      },
    ],
  },
  'cluster|syncslots': {
    summary: 'Words between the two ends of a slot migration.',
    since: '9.0.0',
    group: 'cluster',
    complexity: 'Depends on the word.',
  },
};

interface DocumentOfOurs {
  readonly [field: string]: string | readonly string[] | readonly DocumentOfOurs[];
}
