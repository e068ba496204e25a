// An object that a workflow was to decide is not decided in silence.
throw { code: 501, message: 'there are no workflows here, so none was started; choose another action' }
