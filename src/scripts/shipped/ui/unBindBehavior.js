require('ui/bindBehavior')
