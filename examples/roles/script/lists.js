// In place of an operation of an assignment: adds words to a text, or takes them out.
;(() => {
  var words = String(targetObject.lists || '')
    .split(' ')
    .filter(Boolean)
  var others = words.filter((word) => attributeValue.indexOf(word) < 0)
  return { value: (operation === 'add' ? others.concat(attributeValue) : others).join(' ') }
})()
