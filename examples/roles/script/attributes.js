// What a role gives in the directory: the type of employee, and mailing lists. These are one text there, so a script
// puts them together; what others have written into it stays.
;(() => {
  var lists = (operation) => ({
    type: 'text/javascript',
    file: 'script/lists.js',
    globals: { operation: operation },
  })
  return [
    { name: 'employeeType', value: source.employeeType },
    {
      name: 'lists',
      value: source.lists.split(' '),
      assignmentOperation: lists('add'),
      unassignmentOperation: lists('remove'),
    },
  ]
})()
